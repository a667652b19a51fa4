/** The connection's states, as tables of what happens and what people are told. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { step } from "../../notifications/static/notifications/src/core/machine.js";
import { initial } from "../../notifications/static/notifications/src/core/state.js";

const START = 1.7e12;

/** A machine with a clock that the test moves, and a random number that the test chooses. */
class Bench {
  now = START;
  random = 0.5;
  effects = [];

  constructor(transports = ["stream", "poll"]) {
    this.transports = transports;
    this.state = initial(transports);
  }

  send(event) {
    const before = this.state;
    const { state, effect } = step(Object.freeze(before), typeof event === "string" ? { type: event } : event, {
      now: this.now,
      random: () => this.random,
    });
    this.state = state;
    if (effect) this.effects.push(effect === "open" ? this.transports[state.index] : effect);
    return this;
  }

  /** Let time pass, waking the machine when it asked for it. */
  pass(time) {
    const end = this.now + time;
    while (this.state.wakeAt !== null && this.state.wakeAt <= end) {
      this.now = Math.max(this.now, this.state.wakeAt);
      this.send("tick");
    }
    this.now = end;
    return this;
  }

  /** The clock jumps: timers come late. */
  jump(time) {
    this.now += time;
    return this.state.wakeAt !== null && this.state.wakeAt <= this.now ? this.send("tick") : this;
  }

  hello(heartbeat = 25) {
    return this.send({ type: "hello", heartbeat });
  }

  live() {
    return this.send("start").hello();
  }

  ended(reason = "network", retry = undefined) {
    return this.send({ type: "ended", reason, retry });
  }

  get told() {
    return [this.state.name, this.state.reason].filter(Boolean).join(" ");
  }

  get wait() {
    return this.state.nextTryAt - this.now;
  }
}

test("start opens, and hello means live", () => {
  const bench = new Bench().send("start");
  assert.equal(bench.told, "connecting start");
  assert.equal(bench.state.troubledSince, START);
  bench.pass(300).hello();
  assert.equal(bench.told, "live");
  assert.equal(bench.state.troubledSince, null);
  assert.deepEqual(bench.effects, ["stream"]);
});

test("start changes nothing once started", () => {
  assert.deepEqual(new Bench().live().send("start").effects, ["stream"]);
});

test("a lost connection is tried again after a random part of a window that doubles", () => {
  const bench = new Bench().live();
  const waits = [];
  for (let count = 0; count < 8; count++) {
    bench.ended("network");
    waits.push(bench.wait);
    assert.equal(bench.told, "reconnecting network");
    bench.pass(bench.wait);
  }
  assert.deepEqual(waits, [250, 500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000]);
});

test("accept and drop backs off: only a connection that lived ten seconds starts over", () => {
  const bench = new Bench().live();
  for (let count = 0; count < 4; count++) bench.pass(9_000).ended().pass(bench.wait).hello();
  assert.equal(bench.state.attempt, 4);
  bench.send("bytes").pass(10_000).ended();
  assert.equal(bench.wait, 250);
});

test("trouble is counted from its beginning, over all tries", () => {
  const bench = new Bench().live().pass(20_000).ended();
  const since = bench.now;
  bench.pass(bench.wait);
  assert.equal(bench.told, "connecting network");
  bench.ended().pass(bench.wait);
  assert.equal(bench.state.troubledSince, since);
});

test("the stream's retry is a floor for later tries", () => {
  const bench = new Bench().live().send({ type: "floor", time: 3_000 }).ended("ended");
  assert.equal(bench.wait, 3_250);
});

test("Retry-After is waited for, even if the page is looked at meanwhile", () => {
  for (const [reason, told] of [
    ["busy", "reconnecting busy"],
    ["too-many", "reconnecting too-many"],
  ]) {
    const bench = new Bench().send("start").ended(reason, 60_000);
    assert.equal(bench.told, told);
    assert.equal(bench.wait, 60_250);
    bench.pass(1_000).send("wake").send("online");
    assert.equal(bench.wait, 59_000);
    bench.send("retry"); // but a person may insist
    assert.equal(bench.state.phase, "opening");
  }
});

const FINAL = [
  ["signed-out", undefined, "signed-out signed-out"],
  ["other-user", undefined, "signed-out other-user"],
  ["version", undefined, "closed version"],
  ["revoked", null, "closed revoked"],
  ["limit", null, "closed limit"],
  ["signed-out", null, "signed-out signed-out"],
];

for (const [reason, retry, told] of FINAL) {
  test(`${reason}${retry === null ? " with no return" : ""} is final until a person tries again`, () => {
    const bench = new Bench().live().ended(reason, retry);
    assert.equal(bench.told, told);
    bench.pass(3_600_000).send("wake").send("online").send("offline").send("tick");
    assert.equal(bench.told, told);
    assert.equal(bench.state.wakeAt, null);
    assert.equal(bench.send("retry").state.phase, "opening");
  });
}

for (const reason of ["login-page", "content-type", "http", "forbidden"]) {
  test(`${reason}: somebody else's answer is never final, and asked again when there is a chance`, () => {
    const bench = new Bench().live();
    for (let count = 0; count < 50; count++) {
      bench.ended(reason);
      assert.ok(bench.wait > 0 && bench.wait <= 30_000);
      bench.pass(bench.wait);
      assert.equal(bench.state.phase, "opening");
    }
    bench.ended(reason);
    for (const chance of ["wake", "online"]) assert.ok(bench.send(chance).wait <= 1_000, chance);
    bench.pass(bench.wait).hello();
    assert.equal(bench.told, "live");
  });
}

test("what somebody else answers is not asked for every second", () => {
  for (const reason of ["login-page", "content-type"]) {
    assert.equal(new Bench().live().ended(reason).wait, 15_000);
  }
});

test("a site that redirects again and again has signed the user out, and is asked again all the same", () => {
  const bench = new Bench().live();
  const told = [];
  for (let count = 0; count < 4; count++) {
    bench.ended("login-page");
    told.push(bench.told);
    bench.pass(bench.wait);
    if (count > 1) assert.equal(bench.state.name, "signed-out", "a try is not worth a word");
  }
  assert.deepEqual(told, [
    "reconnecting login-page",
    "reconnecting login-page",
    "signed-out login-page",
    "signed-out login-page",
  ]);
  assert.ok(bench.now - START < 90_000);
  assert.equal(bench.hello().told, "live");
  assert.equal(bench.ended("login-page").state.name, "reconnecting", "and counts anew");
});

test("a planned end is no failure", () => {
  for (const reason of ["drain", "max-age"]) {
    const bench = new Bench().live().pass(20_000).ended(reason, 2_000);
    assert.equal(bench.state.attempt, 0);
    assert.equal(bench.wait, 2_250);
  }
});

test("silence of 1.2 heartbeats is stale, of 2 is lost, and a byte makes it live again", () => {
  const bench = new Bench().live().pass(29_999);
  assert.equal(bench.told, "live");
  assert.equal(bench.pass(1).told, "stale heartbeat");
  assert.equal(bench.send("bytes").told, "live");
  assert.equal(bench.pass(30_000).told, "stale heartbeat");
  assert.equal(bench.pass(20_000).told, "reconnecting heartbeat");
});

test("the server says how long a heartbeat is", () => {
  const bench = new Bench().send("start").hello(5).pass(6_000);
  assert.equal(bench.told, "stale heartbeat");
});

test("a timer that came late gives the bytes behind it two seconds", () => {
  const bench = new Bench().live().jump(35_000);
  assert.equal(bench.told, "live");
  assert.equal(bench.send("bytes").told, "live");
  bench.jump(35_000).pass(2_000);
  assert.equal(bench.told, "stale heartbeat");
});

test("a clock that jumped means sleep: the connection is made anew, spread over a second", () => {
  const bench = new Bench().live().jump(600_000);
  assert.equal(bench.told, "reconnecting sleep");
  assert.equal(bench.wait, 500);
  assert.equal(bench.state.attempt, 0);
});

test("sleep during a wait does not let everyone in at the same moment", () => {
  const bench = new Bench().live().ended("busy", 5_000).jump(600_000);
  assert.equal(bench.told, "reconnecting sleep");
  assert.equal(bench.wait, 500);
});

test("becoming visible renews a stream that is silent for too long, and only that", () => {
  assert.equal(new Bench().live().pass(29_000).send("wake").told, "live");
  const bench = new Bench().live();
  bench.now += 31_000; // no timer came yet
  assert.equal(bench.send("wake").told, "reconnecting sleep");
});

test("becoming visible shortens a wait", () => {
  const bench = new Bench().live();
  bench.state = { ...bench.state, attempt: 9 };
  bench.ended("network").send("wake");
  assert.equal(bench.wait, 500);
});

test("offline is told, online tries at once", () => {
  const bench = new Bench().live().send("offline");
  assert.equal(bench.told, "offline offline");
  assert.equal(bench.effects.at(-1), "close");
  bench.send("online");
  assert.equal(bench.told, "reconnecting offline");
  assert.equal(bench.wait, 500);
});

test("a browser that wrongly believes to be offline is asked now and then", () => {
  const bench = new Bench().live().send("offline");
  bench.pass(bench.wait).hello();
  assert.equal(bench.told, "live");
});

test("an opening that fails while offline stays offline", () => {
  const bench = new Bench().live().send("offline");
  assert.equal(bench.pass(bench.wait).ended("network").told, "offline network");
});

test("a page in the cache is paused, and connects again when it is shown", () => {
  const bench = new Bench().live().send({ type: "rest", name: "paused", reason: "hidden" });
  assert.equal(bench.told, "paused hidden");
  assert.equal(bench.state.wakeAt, null);
  bench.send("start");
  assert.equal(bench.wait, 500);
  assert.equal(bench.pass(500).hello().told, "live");
});

test("an opening without hello ends after fifteen seconds", () => {
  const bench = new Bench().send("start").send("bytes").pass(15_000);
  assert.equal(bench.told, "reconnecting timeout");
});

test("three openings without hello lead to the next transport, and to streaming again soon after", () => {
  const bench = new Bench(["stream", "socket", "poll"]).send("start");
  for (let count = 0; count < 6; count++) bench.ended("network").pass(bench.wait);
  assert.deepEqual(
    bench.effects.filter((effect) => effect !== "close"),
    ["stream", "stream", "stream", "socket", "socket", "socket", "poll"],
  );
  assert.equal(bench.hello().told, "polling");
  bench.pass(2_000);
  assert.equal(bench.effects.at(-1), "stream");
  assert.equal(bench.told, "polling");
  assert.equal(bench.hello().told, "live");
  assert.equal(bench.pass(20_000).told, "live");
});

test("a look at streaming that fails is not shown, and the next comes four times later", () => {
  const bench = new Bench().send("start");
  for (let count = 0; count < 3; count++) bench.ended("timeout").pass(bench.wait);
  bench.hello();
  const looks = [];
  for (let count = 0; count < 8; count++) {
    const begin = bench.now;
    while (bench.effects.at(-1) !== "stream") bench.pass(1_000).send("bytes");
    looks.push((bench.now - begin) / 1_000);
    assert.equal(bench.told, "polling");
    bench.ended("timeout");
    assert.equal(bench.effects.at(-1), "poll");
    assert.equal(bench.told, "polling");
    bench.hello();
  }
  assert.deepEqual(looks, [2, 8, 32, 128, 512, 600, 600, 600]);
});

test("refusals by the server do not count against a transport", () => {
  const bench = new Bench().send("start");
  for (const reason of ["busy", "too-many", "http", "busy", "limit", "drain"]) bench.ended(reason).pass(bench.wait);
  assert.equal(bench.effects.includes("poll"), false);
});

test("a server that cannot stream is polled at once, and seldom asked again", () => {
  const bench = new Bench(["stream", "socket", "poll"]).send("start").ended("no-streaming");
  assert.deepEqual(bench.effects, ["stream", "poll"]);
  bench.hello();
  for (let count = 0; count < 599; count++) bench.pass(1_000).send("bytes");
  assert.equal(bench.effects.at(-1), "poll");
});

test("when every transport fails the round begins anew", () => {
  const bench = new Bench().send("start");
  for (let count = 0; count < 6; count++) bench.ended("network").pass(bench.wait);
  assert.equal(bench.effects.at(-1), "stream");
});

test("retry opens at once, and does nothing while all is well", () => {
  const bench = new Bench().live().send("retry");
  assert.deepEqual(bench.effects, ["stream"]);
  assert.equal(bench.pass(30_000).send("retry").state.phase, "opening");
});

test("a clock that is set back takes its times along", () => {
  const bench = new Bench().live();
  bench.now -= 3_600_000;
  bench.send("bytes").pass(29_999);
  assert.equal(bench.told, "live");
  bench.pass(20_001);
  assert.equal(bench.told, "reconnecting heartbeat");
  bench.now -= 3_600_000;
  bench.send("floor", 0);
  assert.ok(bench.wait <= 500);
});

test("stop is final and forgets failures", () => {
  const bench = new Bench().live().ended("network").send({ type: "rest", name: "closed", reason: "stopped" });
  assert.equal(bench.told, "closed stopped");
  assert.equal(bench.send("start").state.attempt, 0);
});
