/** Who leads, whatever browsers do to pages: close, cache, restore, freeze, break. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { Leader } from "../../notifications/static/notifications/src/core/leader.js";
import { Locks } from "./support/browser.js";
import { settle } from "./support/clock.js";

function crowd(count, locks = new Locks()) {
  const log = [];
  const leaders = Array.from({ length: count }, (_, index) => {
    const onChange = (leading) => {
      made.leading = leading;
      log.push(`${index}${leading ? "+" : "-"}`);
    };
    const made = new Leader(locks, "inbox", onChange, () => false);
    return made;
  });
  for (const leader of leaders) leader.contend();
  return { locks, leaders, log, who: () => leaders.flatMap((leader, index) => (leader.leading ? [index] : [])) };
}

test("one of many leads", async () => {
  const { who } = crowd(5);
  await settle();
  assert.deepEqual(who(), [0]);
});

test("the next in line takes over when the leader goes", async () => {
  const { leaders, who, log } = crowd(3);
  await settle();
  leaders[0].release();
  await settle();
  assert.deepEqual(who(), [1]);
  assert.deepEqual(log, ["0+", "0-", "1+"]);
});

test("one that waits no longer is skipped", async () => {
  const { leaders, who } = crowd(3);
  await settle();
  leaders[1].release();
  leaders[0].release();
  await settle();
  assert.deepEqual(who(), [2]);
});

test("to contend twice is to contend once", async () => {
  const { leaders, locks, who } = crowd(2);
  leaders[1].contend();
  leaders[0].contend();
  await settle();
  assert.equal(locks.queue.length, 1);
  leaders[0].release();
  await settle();
  assert.deepEqual(who(), [1]);
});

test("release before the lock is granted wins", async () => {
  const { leaders, who, locks } = crowd(1);
  leaders[0].release();
  await settle();
  assert.deepEqual(who(), []);
  assert.equal(locks.held.length, 0);
});

test("a page that goes into the cache lets another lead, and waits in line when it comes back", async () => {
  const { leaders, who } = crowd(2);
  await settle();
  leaders[0].release(); // pagehide
  await settle();
  assert.deepEqual(who(), [1]);
  leaders[0].contend(); // pageshow
  await settle();
  assert.deepEqual(who(), [1]);
  leaders[1].release();
  await settle();
  assert.deepEqual(who(), [0]);
});

test("a broken lock is lost leadership, and the page waits in line again", async () => {
  const { leaders, locks, who, log } = crowd(2);
  await settle();
  locks.break(locks.held[0]);
  await settle();
  assert.deepEqual(who(), [1]);
  assert.ok(log.includes("0-"));
  leaders[1].release();
  await settle();
  assert.deepEqual(who(), [0]);
});

test("a broken lock of the only page is taken again", async () => {
  const { locks, who, log } = crowd(1);
  await settle();
  locks.break(locks.held[0]);
  await settle();
  assert.deepEqual(who(), [0]);
  assert.deepEqual(log, ["0+", "0-", "0+"]);
});

test("the lead can be taken: never two lead", async () => {
  const { leaders, who, log } = crowd(3);
  await settle();
  leaders[2].contend(true);
  await settle();
  assert.deepEqual(who(), [2]);
  assert.deepEqual(log.slice(0, 1), ["0+"]);
  leaders[2].release();
  await settle();
  assert.equal(who().length, 1);
});

test("where locks are refused every page leads for itself", async () => {
  const locks = { request: () => Promise.reject(new DOMException("sandboxed", "SecurityError")) };
  const { who } = crowd(2, locks);
  await settle();
  assert.deepEqual(who(), [0, 1]);
});
