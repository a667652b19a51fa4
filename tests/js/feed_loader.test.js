/** Loading a part anew: one request however many events, at a pace, until it is fresh or gone. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { Loader } from "../../notifications/static/notifications/src/feeds/loader.js";
import { Clock } from "./support/clock.js";

const at = (position, epoch = "0000000a") => `feed-0000000000000001=${epoch}.${position}`;

/** A part that was rendered at a position, and a server that answers as the test says. */
function open(rendered = 1) {
  const clock = new Clock();
  const asked = [];
  const states = [];
  const loader = new Loader(
    { ...clock, now: clock.now, random: () => 0.5, setTimeout: clock.setTimeout, clearTimeout: clock.clearTimeout },
    at(rendered),
    () => new Promise((answer, fail) => asked.push({ at: clock.time, answer, fail })),
    () => states.push(loader.gone ? "gone" : loader.fresh ? "fresh" : "stale"),
  );
  const start = clock.time;
  return { clock, asked, states, loader, start, ok: (position) => ({ status: 200, cursor: at(position) }) };
}

test("a part that shows the newest asks for nothing", async () => {
  const { clock, asked, states, loader } = open(3);
  loader.moved("");
  loader.moved(at(2));
  loader.moved(at(3));
  await clock.pass(10_000);
  assert.equal(asked.length, 0);
  assert.equal(states.at(-1), "fresh");
});

test("however many events come while one request is under way, one more follows it", async () => {
  const { clock, asked, loader, ok, states } = open();
  for (let position = 2; position < 50; position++) loader.moved(at(position));
  await clock.pass(0);
  assert.equal(asked.length, 1);
  for (let position = 50; position < 100; position++) loader.moved(at(position));
  await clock.pass(1_000);
  assert.equal(asked.length, 1);
  asked[0].answer(ok(60));
  await clock.pass(0);
  assert.equal(asked.length, 2);
  assert.equal(states.at(-1), "stale");
  asked[1].answer(ok(99));
  await clock.pass(10_000);
  assert.equal(asked.length, 2);
  assert.equal(states.at(-1), "fresh");
});

test("it asks five times a second at the most", async () => {
  const { clock, asked, loader, ok } = open();
  for (let position = 2; position <= 101; position++) {
    loader.moved(at(position));
    await clock.pass(10);
    asked.at(-1)?.answer(ok(position));
  }
  await clock.pass(1_000);
  assert.ok(asked.length <= 6, `${asked.length} requests in a second`);
  assert.ok(loader.fresh);
});

test("an answer that says that nothing has changed makes it fresh too", async () => {
  const { clock, asked, loader } = open();
  loader.moved(at(2));
  await clock.pass(0);
  asked[0].answer({ status: 304, cursor: at(2) });
  await clock.pass(10_000);
  assert.ok(loader.fresh);
  assert.equal(asked.length, 1);
});

for (const [what, fail] of [
  ["an answer of a busy server", ({ answer }) => answer({ status: 503, cursor: null })],
  ["an answer that is not the server's", ({ answer }) => answer({ status: 0, cursor: null })],
  ["too many requests", ({ answer }) => answer({ status: 429, cursor: null })],
  ["a cut network", ({ fail }) => fail(new TypeError("network"))],
]) {
  test(`${what} is waited out, longer each time`, async () => {
    const { clock, asked, loader, ok, states } = open();
    loader.moved(at(2));
    for (let turn = 0; turn < 4; turn++) {
      await clock.pass(60_000);
      fail(asked[turn]);
    }
    await clock.pass(60_000);
    assert.equal(states.at(-1), "stale");
    const lost = [];
    for (let turn = 0; turn < 3; turn++) {
      const from = clock.time;
      fail(asked.at(-1));
      const count = asked.length;
      while (asked.length === count) await clock.pass(10);
      lost.push(clock.time - from);
    }
    assert.ok(lost[0] < lost[1] && lost[1] < lost[2], lost.join());
    asked.at(-1).answer(ok(2));
    await clock.pass(0);
    assert.ok(loader.fresh);
  });
}

for (const status of [400, 401, 403, 404]) {
  test(`${status} means that it is gone: it is not asked for again`, async () => {
    const { clock, asked, loader, states } = open();
    loader.moved(at(2));
    await clock.pass(0);
    asked[0].answer({ status, cursor: null });
    await clock.pass(0);
    loader.moved(at(3));
    await clock.pass(60_000);
    assert.equal(asked.length, 1);
    assert.equal(states.at(-1), "gone");
  });
}

test("after a restored database it asks until the server has the new life too, and not all the time", async () => {
  const { clock, asked, loader, ok } = open(7);
  loader.moved(at(2, "0000000b"));
  for (let turn = 0; turn < 20; turn++) {
    await clock.pass(5_000);
    asked.at(-1).answer(ok(7));
  }
  assert.ok(asked.length < 20, `${asked.length} requests in 100 seconds`);
  while (!loader.fresh) {
    asked.at(-1).answer({ status: 200, cursor: at(3, "0000000b") });
    await clock.pass(1_000);
  }
});

test("what was taken out of the page asks no more", async () => {
  const { clock, asked, loader } = open();
  loader.moved(at(2));
  loader.end();
  await clock.pass(60_000);
  assert.equal(asked.length, 0);
});
