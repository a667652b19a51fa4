/** What is done with many at once, the times of a snooze, and the sections of a list. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { snoozeTimes } from "../../notifications/static/notifications/src/inbox/snooze-times.js";
import { changeAll, pin, putAway, unsnooze } from "../../notifications/static/notifications/src/inbox/triage.js";
import { sections } from "../../notifications/static/notifications/src/elements/sections.js";
import { Browser } from "./support/browser.js";
import { settle } from "./support/clock.js";
import { item } from "./support/server.js";

const UNTIL = new Date("2027-01-01T08:00:00Z");
const SUNDAY = 7;

/** Run in a time zone. */
function within(zone, act) {
  const before = process.env.TZ;
  process.env.TZ = zone;
  try {
    return act();
  } finally {
    if (before === undefined) delete process.env.TZ;
    else process.env.TZ = before;
  }
}

const local = (time) =>
  `${time.getFullYear()}-${time.getMonth() + 1}-${time.getDate()} ${time.getHours()}:${time.getMinutes()}`;

/** A tab that knows some items, whose requests a test answers. */
function bench(context, count = 3) {
  const urls = {
    archiveAll: "/archive-all/",
    undo: "/undo/",
    readAll: "/read-all/",
    item: "/{id}/{action}/",
    bulk: "/bulk/",
  };
  const { client } = new Browser(context).tab({ urls, cursor: "inbox=00000001.9" });
  const items = Array.from({ length: count }, (_, index) => item(index + 1));
  client.store.page({ items, cursor: "inbox=00000001.9", unread: count, unseen: count });
  const asked = [];
  client.ask = (url, body) => new Promise((resolve, reject) => asked.push({ url, body, resolve, reject }));
  const states = (name) => client.store.items.map((each) => each[name]);
  return { client, asked, states, items };
}

test("snooze, unsnooze and pin show at once, and are taken back when refused", async (context) => {
  const { client, asked, states, items } = bench(context);
  const { sent } = putAway(client, items.slice(0, 2), UNTIL);
  await settle();
  assert.deepEqual(states("snoozed_until"), [null, UNTIL.toISOString(), UNTIL.toISOString()]);
  assert.deepEqual(client.counts.unread, 1);
  const up_to = "inbox=00000001.9";
  assert.deepEqual(asked[0].body, { action: "snooze", ids: [1, 2], up_to, until: UNTIL.toISOString() });
  asked[0].reject(Object.assign(new Error("no"), { reason: "server" }));
  assert.equal(await sent, false);
  assert.deepEqual(states("archived_at"), [null, null, null]);
  const pinned = pin(client, 3, true);
  await settle();
  assert.deepEqual(states("pinned"), [true, false, false]);
  assert.equal(asked[1].url, "/3/pin/");
  asked[1].resolve({});
  assert.equal(await pinned, true);
  unsnooze(client, 3);
  await settle();
  assert.equal(asked[2].url, "/3/unsnooze/");
});

test("a snooze is about what was seen when it was asked until when", async (context) => {
  const { client, asked, items } = bench(context);
  putAway(client, [items[0]], UNTIL, [{ some: [1], up_to: "inbox=00000001.3" }]);
  await settle();
  assert.deepEqual(asked[0].body, { up_to: "inbox=00000001.3", until: UNTIL.toISOString() });
});

test("what is put away comes back at once, by what the answer says", async (context) => {
  const { client, asked, states, items } = bench(context);
  const { sent, back } = putAway(client, items);
  const reverted = back();
  await settle();
  assert.deepEqual(states("archived_at"), [null, null, null], "also before there is an answer");
  assert.equal(asked.length, 1);
  asked[0].resolve({ changed: 3, undo: "archive.7" });
  assert.equal(await sent, true);
  await settle();
  assert.deepEqual([asked[1].url, asked[1].body], ["/undo/", { undo: "archive.7" }]);
  asked[1].resolve({});
  assert.equal(await reverted, true);
  assert.deepEqual(states("archived_at"), [null, null, null]);
});

test("what was asleep before sleeps as before once the server says until when", async (context) => {
  const { client, asked, states } = bench(context);
  const asleep = item(1, { version: 10, archived_at: "x", snoozed_until: "2026-12-24T18:00:00Z" });
  client.store.page({ items: [asleep], cursor: "inbox=00000001.10", unread: 2, unseen: 2 });
  const { back } = putAway(client, [asleep], UNTIL);
  await settle();
  asked[0].resolve({ item: {}, undo: "snooze.7" });
  back();
  await settle();
  assert.deepEqual(asked[1].body, { undo: "snooze.7" });
  assert.ok(states("snoozed_until")[2], "it is not shown in the inbox meanwhile");
});

test("of what the server has left alone nothing is undone, and neither of what it has refused", async (context) => {
  const { client, asked, states, items } = bench(context);
  for (const answer of ["resolve", "reject"]) {
    const { sent, back } = putAway(client, items);
    await settle();
    asked.at(-1)[answer](Object.assign(new Error("no"), { reason: "server", changed: 0 }));
    assert.equal(await sent, false);
    const before = asked.length;
    assert.equal(await back(), true);
    assert.equal(asked.length, before);
  }
  assert.deepEqual(states("archived_at"), [null, null, null]);
});

test("to archive all empties the list at once, says how many there were, and can be undone", async (context) => {
  const { client, asked, states, items } = bench(context);
  const filter = { state: "all", category: "orders", kind: "", q: "" };
  const sent = changeAll(client, "archive-all", filter, items);
  await settle();
  assert.ok(states("archived_at").every(Boolean));
  assert.deepEqual(asked[0].body, { up_to: "inbox=00000001.9", category: "orders", kind: "", state: "all" });
  asked[0].resolve({ changed: 240, undo: "archive.7" });
  const done = await sent;
  assert.equal(done.changed, 240);
  done.back();
  await settle();
  assert.deepEqual(states("archived_at"), [null, null, null]);
  assert.deepEqual([asked[1].url, asked[1].body], ["/undo/", { undo: "archive.7" }]);
});

test("what was refused is taken back, and offers nothing to undo", async (context) => {
  const { client, asked, states, items } = bench(context);
  const failures = [];
  client.on("failure", (failure) => failures.push(failure));
  const sent = changeAll(client, "read-all", { state: "all", category: "", kind: "" }, items);
  await settle();
  assert.ok(states("read_at").every(Boolean));
  asked[0].reject(Object.assign(new Error("no"), { reason: "server" }));
  assert.equal(await sent, undefined);
  assert.ok(states("read_at").every((time) => time === null));
  assert.equal(failures[0].action, "read-all");
});

test("a snooze ends by the reader's own clock, also where that is changed meanwhile", () => {
  within("Europe/Berlin", () => {
    const times = snoozeTimes(new Date(2026, 9, 24, 10, 30)); // the night after it, summer time ends
    assert.deepEqual(
      times.map(([name, time]) => [name, local(time)]),
      [
        ["inAnHour", "2026-10-24 11:30"],
        ["thisEvening", "2026-10-24 18:0"],
        ["tomorrow", "2026-10-25 9:0"],
        ["onMonday", "2026-10-26 9:0"],
      ],
    );
    assert.equal(times[2][1].toISOString(), "2026-10-25T08:00:00.000Z");
    assert.equal(snoozeTimes(new Date(2026, 9, 24, 17)).length, 3, "the evening is too near");
    assert.equal(local(snoozeTimes(new Date(2026, 9, 26, 8)).at(-1)[1]), "2026-11-2 9:0", "on a Monday, the next one");
    assert.equal(local(snoozeTimes(new Date(2026, 9, 25, 8)).at(-1)[1]), "2026-10-26 9:0", "on a Sunday, tomorrow");
  });
});

/** The sections of items that rose at these times, by the first item of each. */
const divide = (now, times, more = {}, firstDay = 1) => {
  const items = times.map((time, index) => ({ id: index, rank: time.getTime() * 1_000, pinned: false, ...more }));
  return [...sections(items, now, firstDay)];
};

test("sections begin where the reader's days do, and not at midnight in Greenwich", () => {
  within("Asia/Tokyo", () => {
    const now = new Date(2026, 10, 26, 0, 5); // a Thursday; in Greenwich it is Wednesday still
    const times = [
      [26, 0, 1],
      [25, 23, 59],
      [25, 0, 0],
      [24, 23, 59],
      [23, 0, 0],
      [22, 23, 59],
    ];
    assert.deepEqual(
      divide(
        now,
        times.map(([day, hour, minute]) => new Date(2026, 10, day, hour, minute)),
      ),
      [
        [0, "today"],
        [1, "yesterday"],
        [3, "thisWeek"],
        [5, "older"],
      ],
    );
  });
});

test("a week begins when the reader's does, and yesterday is yesterday also in the week before", () => {
  const monday = new Date(2026, 10, 23, 12);
  const times = [22, 21].map((day) => new Date(2026, 10, day, 12));
  assert.deepEqual(divide(monday, times), [
    [0, "yesterday"],
    [1, "older"],
  ]);
  const friday = new Date(2026, 10, 27, 12);
  assert.deepEqual(divide(friday, times, {}, SUNDAY), [
    [0, "thisWeek"],
    [1, "older"],
  ]);
});

test("what is pinned has a section of its own, and what keeps its place though it rose begins none", () => {
  const now = new Date(2026, 10, 26, 12);
  const rank = (day) => new Date(2026, 10, day, 11).getTime() * 1_000;
  const items = [
    { id: 1, pinned: true, rank: rank(1) + 2 ** 52 },
    { id: 2, pinned: false, rank: rank(25) },
    { id: 3, pinned: false, rank: rank(26) },
    { id: 4, pinned: false, rank: rank(25) },
  ];
  assert.deepEqual(
    [...sections(items, now, 1)],
    [
      [1, "pinned"],
      [2, "yesterday"],
    ],
  );
});
