/** How the connection is told, and how times are said: pure rules. */

import assert from "node:assert/strict";
import test from "node:test";

import { statusPolicy } from "../../notifications/static/notifications/src/elements/status-policy.js";
import { relative } from "../../notifications/static/notifications/src/elements/time.js";

const NOW = 1_000_000;

/** A state of the connection, `age` ms after the trouble began. */
function state(name, { age = 0, attempt = 0, wait = null } = {}) {
  return { name, attempt, nextTryAt: wait === null ? null : NOW + wait, troubledSince: NOW - age };
}

test("good news is told at once", () => {
  for (const name of ["live", "polling"]) {
    const seen = statusPolicy({ ...state(name), troubledSince: null }, NOW, false, false);
    assert.deepEqual(seen, { tone: "good", name, serious: false, countdown: false, recheckIn: null });
  }
});

test("a loss is not told for two and a half seconds", () => {
  const seen = statusPolicy(state("reconnecting", { age: 2_400 }), NOW, true, false);
  assert.deepEqual([seen.tone, seen.name, seen.recheckIn], ["good", "live", 100]);
  assert.equal(statusPolicy(state("reconnecting", { age: 2_500 }), NOW, true, false).name, "reconnecting");
});

test("a page that was never live does not claim to be", () => {
  const seen = statusPolicy(state("connecting", { age: 100 }), NOW, false, false);
  assert.deepEqual([seen.tone, seen.name], ["wait", "connecting"]);
});

test("final news is told at once and is serious", () => {
  for (const name of ["signed-out", "closed"]) {
    const seen = statusPolicy(state(name), NOW, true, false);
    assert.deepEqual([seen.tone, seen.name, seen.serious], ["bad", name, true]);
  }
});

test("it is serious after three failures or ten seconds", () => {
  assert.equal(statusPolicy(state("reconnecting", { age: 3_000, attempt: 2 }), NOW, true, false).serious, false);
  assert.equal(statusPolicy(state("reconnecting", { age: 3_000, attempt: 3 }), NOW, true, false).serious, true);
  assert.equal(statusPolicy(state("reconnecting", { age: 10_000, attempt: 1 }), NOW, true, false).serious, true);
  assert.equal(statusPolicy(state("reconnecting", { age: 9_000, attempt: 1 }), NOW, true, false).recheckIn, 1_000);
});

test("a wait of five seconds or more is counted, and then to its end", () => {
  assert.equal(statusPolicy(state("reconnecting", { age: 11_000, wait: 4_999 }), NOW, true, false).countdown, false);
  assert.equal(statusPolicy(state("reconnecting", { age: 11_000, wait: 5_000 }), NOW, true, false).countdown, true);
  const counted = statusPolicy(state("reconnecting", { age: 11_000, wait: 1_300 }), NOW, true, true);
  assert.deepEqual([counted.countdown, counted.recheckIn], [true, 300]);
  assert.equal(statusPolicy(state("reconnecting", { age: 11_000, wait: 0 }), NOW, true, true).countdown, false);
});

test("no state is looked at again without a pause", () => {
  for (const wait of [null, 0, 1, 999, 1_000, 7_000]) {
    for (const age of [0, 2_499, 2_500, 9_999, 60_000]) {
      const { recheckIn } = statusPolicy(state("reconnecting", { age, wait }), NOW, true, false);
      assert.ok(recheckIn === null || recheckIn > 0, `${wait} ${age} ${recheckIn}`);
    }
  }
});

test("times are said as people say them", () => {
  const ago = (seconds, language = "en") => relative(NOW, NOW + seconds * 1_000, language);
  assert.equal(ago(0), "now");
  assert.equal(ago(-30), "now"); // a clock that is behind the server's
  assert.equal(ago(50), "1 minute ago");
  assert.equal(ago(3_500), "58 minutes ago");
  assert.equal(ago(3_590), "1 hour ago");
  assert.equal(ago(86_400), "yesterday");
  assert.equal(ago(3 * 86_400), "3 days ago");
  assert.equal(ago(30 * 86_400), new Date(NOW).toLocaleDateString("en", { dateStyle: "medium" }));
  assert.equal(ago(7_200, "de"), "vor 2 Stunden");
});
