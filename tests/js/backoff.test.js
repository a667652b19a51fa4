import assert from "node:assert/strict";
import { test } from "node:test";

import { delay } from "../../notifications/static/notifications/src/core/backoff.js";

const LAST = 1 - Number.EPSILON;

test("the window doubles from half a second to half a minute", () => {
  const windows = [0, 1, 2, 3, 4, 5, 6, 7, 50, 2_000].map((attempt) => Math.round(delay(attempt, () => LAST)));
  assert.deepEqual(windows, [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000, 30_000]);
});

test("full jitter reaches down to nothing", () => {
  assert.equal(
    delay(5, () => 0),
    0,
  );
});

test("the server's wish is a floor, and the crowd is spread above it", () => {
  assert.equal(
    delay(0, () => 0, 7_000),
    7_000,
  );
  assert.equal(Math.round(delay(1, () => LAST, 7_000)), 8_000);
});

test("no server can send a client away for ever", () => {
  assert.equal(
    delay(0, () => 0, 1e12),
    3_600_000,
  );
});
