/** Which items have rows: never more than a hundred, and all of them can be reached. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { RowWindow } from "../../notifications/static/notifications/src/elements/row-window.js";

const items = (count) => Array.from({ length: count }, (_, index) => ({ id: count - index }));

test("from the newest to the oldest of five thousand and back, a hundred rows at most", () => {
  const all = items(5_000);
  const window = new RowWindow();
  const seen = new Set();
  let [start, end] = window.range(all);
  assert.deepEqual([start, end], [0, 50]);
  for (let turns = 0; end < all.length; turns++) {
    assert.ok(turns < 300);
    window.older(all);
    const [next, last] = window.range(all);
    assert.ok(last - next <= 100 && next <= end && last > end, "what was last is still there");
    [start, end] = [next, last];
    for (let index = start; index < end; index++) seen.add(index);
  }
  assert.equal(seen.size, 5_000);
  for (let turns = 0; start > 0; turns++) {
    assert.ok(turns < 300);
    window.newer(all);
    const [next, last] = window.range(all);
    assert.ok(last - next <= 100 && next < start && last > start, "what was first is still there");
    [start, end] = [next, last];
  }
});

test("what arrives while one is far below moves nothing", () => {
  const window = new RowWindow();
  const all = items(300);
  for (let turns = 0; turns < 8; turns++) window.older(all);
  const ids = (list) => list.slice(...window.range(list)).map(({ id }) => id);
  const before = ids(all);
  assert.deepEqual(ids([{ id: 302 }, { id: 301 }, ...all]), before);
  assert.deepEqual(ids(all.filter(({ id }) => id !== before[0]))[0], before[1], "nor what is archived");
});

test("a short list has a row for each", () => {
  const window = new RowWindow();
  assert.deepEqual(window.range([]), [0, 0]);
  assert.deepEqual(window.range(items(7)), [0, 7]);
  window.older(items(7));
  assert.deepEqual(window.range(items(7)), [0, 7]);
});
