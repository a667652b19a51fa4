import assert from "node:assert/strict";
import { test } from "node:test";

import { Store } from "../../notifications/static/notifications/src/inbox/store.js";
import { Inbox, item } from "./support/server.js";

const NOW = "2026-11-21T09:00:00Z";
const cursor = (at) => `inbox=00000001.${at}`;
const changes = (from, to, items, unread = 0, unseen = 0) => ({
  type: "changes",
  from: cursor(from),
  to: cursor(to),
  items,
  unread,
  unseen,
});

function store(at = 0, unread = 0, unseen = 0) {
  return new Store({ cursor: cursor(at), unread, unseen }, Date.now);
}

const titles = (store) => store.items.map(({ title }) => title);

test("the first counts are those of the page", () => {
  assert.deepEqual(store(5, 3, 2).counts, { unread: 3, unseen: 2 });
});

test("changes bring items, counts and position; the newest comes first", () => {
  const mine = store(0);
  mine.apply(changes(0, 2, [item(1), item(2)], 2, 2));
  assert.deepEqual(titles(mine), ["Number 2", "Number 1"]);
  assert.deepEqual(mine.counts, { unread: 2, unseen: 2 });
  assert.equal(mine.cursor, cursor(2));
});

test("what should draw no attention is there, but is no news", () => {
  const mine = store(0);
  const { arrivals } = mine.apply(changes(0, 2, [item(1, { toast: false }), item(2, { toast: true })], 2, 2));
  assert.deepEqual(titles(mine), ["Number 2", "Number 1"]);
  assert.deepEqual(
    arrivals.map(({ id }) => id),
    [2],
  );
});

test("a repeated frame changes nothing", () => {
  const mine = store(0);
  const frame = changes(0, 2, [item(1), item(2)], 2, 2);
  mine.apply(structuredClone(frame));
  const { items, revision } = mine;
  assert.deepEqual(mine.apply(frame).arrivals, []);
  assert.equal(
    mine.items.every((each, index) => each === items[index]),
    true,
  );
  assert.ok(mine.revision <= revision + 1);
});

test("an older version never replaces a newer one", () => {
  const mine = store(0);
  mine.apply(changes(0, 9, [item(1, { version: 9, read_at: NOW })]));
  mine.apply(changes(0, 3, [item(1, { version: 3 })], 1, 1));
  assert.equal(mine.items[0].read_at, NOW);
  assert.equal(mine.cursor, cursor(9));
  assert.deepEqual(mine.counts, { unread: 0, unseen: 0 });
});

test("a frame that does not continue is a hole: its items count, the position stays", () => {
  const mine = store(0);
  assert.equal(mine.apply(changes(4, 5, [item(5)], 5, 5)).hole, true);
  assert.deepEqual(titles(mine), ["Number 5"]);
  assert.equal(mine.cursor, cursor(0));
  assert.equal(mine.apply(changes(0, 5, [item(1), item(5)], 2, 2)).hole, false);
  assert.equal(mine.cursor, cursor(5));
});

test("a heartbeat with another position is a hole", () => {
  const mine = store(3);
  assert.equal(mine.apply({ type: "heartbeat", head: cursor(3) }).hole, false);
  assert.equal(mine.apply({ type: "heartbeat", head: cursor(4) }).hole, true);
  assert.equal(mine.apply({ type: "heartbeat", head: "inbox=00000002.3" }).hole, true);
  assert.equal(mine.apply({ type: "heartbeat", head: "room-1=00000002.3" }).hole, false);
});

test("changes of another life of the inbox are a hole and are not taken", () => {
  const mine = store(3);
  const frame = { ...changes(7, 8, [item(8)]), from: "inbox=00000002.7", to: "inbox=00000002.8" };
  assert.equal(mine.apply(frame).hole, true);
  assert.deepEqual(titles(mine), []);
});

test("a reset replaces everything, whatever its position", () => {
  const mine = store(0);
  mine.apply(changes(0, 90, [item(1, { version: 90 }), item(2)], 2, 2));
  assert.equal(
    mine.apply({ type: "reset", reason: "ahead", cursor: cursor(4), items: [item(3)], unread: 1, unseen: 0 }).reset,
    true,
  );
  assert.deepEqual(titles(mine), ["Number 3"]);
  assert.equal(mine.cursor, cursor(4));
  assert.deepEqual(mine.counts, { unread: 1, unseen: 0 });
});

test("a tombstone removes, and what it removed does not come back", () => {
  const mine = store(0);
  mine.apply(changes(0, 2, [item(1), item(2)]));
  mine.apply(changes(2, 3, [{ id: 1, version: 3, removed: true }]));
  mine.page({ items: [item(1)], cursor: cursor(2), unread: 2, unseen: 2 });
  assert.deepEqual(titles(mine), ["Number 2"]);
  assert.equal(mine.counts.unread, 0);
});

test("an item that grows is an arrival only where it is new to the reader", () => {
  const news = (mine, since) =>
    mine.apply(changes(9, 10, [item(3, { version: 10, group: { events: 2, actors: 2, latest: [], since } })])).arrivals;
  assert.equal(news(store(9), null).length, 1, "it came with several events");
  assert.equal(news(store(9), 10).length, 1);
  assert.equal(news(store(9), 5).length, 0, "told before the page was loaded anew");
  const mine = store(0);
  mine.apply(changes(0, 9, [item(3)]));
  assert.equal(news(mine, 4).length, 0, "told here");
});

test("what was told of and grows is told as grown, not as an arrival", () => {
  const group = (events, since) => ({ events, actors: events, latest: [], since });
  const mine = store(0);
  const take = (to, items) => {
    const { arrivals, grown } = mine.apply(changes(to - 1, to, items));
    return [arrivals.length, grown.length];
  };
  assert.deepEqual(take(1, [item(3, { version: 1, group: group(1, null) })]), [1, 0]);
  assert.deepEqual(take(2, [item(3, { version: 2, group: group(2, 1) })]), [0, 1]);
  assert.deepEqual(take(3, [item(3, { version: 3, group: group(2, 1), seen_at: NOW })]), [0, 0], "seen");
  assert.deepEqual(take(4, [item(3, { version: 4, group: group(2, 1) })]), [0, 0], "unseen again without an event");
  assert.deepEqual(take(5, [item(4, { version: 5, group: group(50, 5) })]), [1, 0], "it is new, and came with many");
  const later = store(9);
  const { arrivals, grown } = later.apply(changes(9, 10, [item(3, { version: 10, group: group(6, 2) })]));
  assert.deepEqual([arrivals.length, grown.length], [0, 1], "told before the page was loaded");
});

test("arrivals are items that are new, unread and unseen", () => {
  const mine = store(0);
  mine.apply(changes(0, 5, [item(5)]));
  const { arrivals } = mine.apply(
    changes(5, 9, [
      item(5, { version: 6, title: "edited" }),
      item(2, { version: 7 }),
      item(7, { version: 8, read_at: NOW, seen_at: NOW }),
      item(8, { version: 9 }),
    ]),
  );
  assert.deepEqual(
    arrivals.map(({ id }) => id),
    [2, 8],
    "2 came late but is as young as 5",
  );
  assert.deepEqual(
    mine.apply(changes(9, 10, [item(3, { version: 10, created_at: "2020-01-01T00:00:00Z" })])).arrivals,
    [],
    "old news",
  );
  assert.deepEqual(
    mine.apply({ type: "reset", cursor: cursor(11), items: [item(50)], unread: 1, unseen: 1 }).arrivals,
    undefined,
  );
});

test("an item without a position gives way to any frame, and never replaces a version", () => {
  const mine = store(0);
  mine.page({ items: [item(1, { version: 0 })], cursor: cursor(0), unread: 1, unseen: 1 });
  mine.apply(changes(0, 1, [item(1, { read_at: NOW })]));
  mine.page({ items: [item(1, { version: 0 })], cursor: cursor(1), unread: 0, unseen: 0 });
  assert.equal(mine.items[0].read_at, NOW);
});

test("a page may carry older counts: the newer ones stay", () => {
  const mine = store(0);
  mine.apply(changes(0, 5, [], 7, 7));
  mine.page({ items: [], cursor: cursor(4), unread: 1, unseen: 1 });
  assert.deepEqual(mine.counts, { unread: 7, unseen: 7 });
});

test("an optimistic update shows at once, in the item and in the counts", () => {
  const mine = store(0);
  mine.apply(changes(0, 1, [item(1)], 5, 4));
  mine.optimisticUpdate({ read_at: NOW, seen_at: NOW }, [1]);
  assert.equal(mine.items[0].read_at, NOW);
  assert.equal(mine.items[0].pending, true);
  assert.deepEqual(mine.counts, { unread: 4, unseen: 3 });
});

test("a refused update leaves no trace", () => {
  const mine = store(0);
  mine.apply(changes(0, 1, [item(1)], 5, 4));
  const before = mine.items[0];
  mine.cancel(mine.optimisticUpdate({ archived_at: NOW }, [1]));
  assert.equal(mine.items[0], before);
  assert.deepEqual(mine.counts, { unread: 5, unseen: 4 });
});

test("a confirmed update stays until the server's item comes, in either order", () => {
  for (const early of [true, false]) {
    const mine = store(0);
    mine.apply(changes(0, 1, [item(1)], 1, 1));
    const update = mine.optimisticUpdate({ read_at: NOW, seen_at: NOW }, [1]);
    const frame = changes(1, 2, [item(1, { version: 2, read_at: NOW, seen_at: NOW })], 0, 0);
    if (early) mine.apply(frame);
    mine.settle(update);
    assert.deepEqual(mine.counts, { unread: 0, unseen: 0 });
    if (!early) mine.apply(frame);
    assert.deepEqual(mine.counts, { unread: 0, unseen: 0 });
    assert.equal(mine.items[0].pending, undefined);
  }
});

test("read and unread at once end unread, without a flicker between", () => {
  const mine = store(0);
  mine.apply(changes(0, 1, [item(1)], 1, 1));
  const [first, second] = [mine.optimisticUpdate({ read_at: NOW }, [1]), mine.optimisticUpdate({ read_at: null }, [1])];
  mine.settle(first);
  assert.equal(mine.items[0].read_at, null);
  mine.settle(second);
  assert.equal(mine.items[0].read_at, null);
});

test("another device's change overtakes a confirmed update", () => {
  const mine = store(0);
  mine.apply(changes(0, 1, [item(1)], 1, 1));
  const update = mine.optimisticUpdate({ read_at: NOW }, [1]);
  mine.settle(update);
  mine.apply(changes(1, 3, [item(1, { version: 3 })], 1, 1));
  assert.equal(mine.items[0].read_at, null);
  assert.equal(mine.counts.unread, 1);
});

test("a bulk change empties the counts beyond what is known here, until the server counts again", () => {
  const mine = store(0, 40, 30);
  mine.apply(changes(0, 1, [item(1)], 41, 31));
  const update = mine.optimisticUpdate({ seen_at: NOW }, [1], ["unseen"]);
  assert.deepEqual(mine.counts, { unread: 41, unseen: 0 });
  mine.settle(update);
  mine.apply(changes(1, 2, [item(1, { version: 2, seen_at: NOW }), item(9)], 42, 1));
  assert.deepEqual(mine.counts, { unread: 42, unseen: 1 });
});

test("a refused bulk change gives the counts back", () => {
  const mine = store(0, 40, 30);
  mine.cancel(mine.optimisticUpdate({ read_at: NOW, seen_at: NOW }, [], ["unread", "unseen"]));
  assert.deepEqual(mine.counts, { unread: 40, unseen: 30 });
});

test("top is what this tab can have seen: the furthest of frames and pages", () => {
  const mine = store(3);
  mine.page({ items: [], cursor: cursor(7), unread: 0, unseen: 0 });
  assert.equal(mine.top, cursor(7));
  assert.equal(mine.cursor, cursor(3));
});

test("memory is bounded: beyond it the store asks for a snapshot", () => {
  const mine = store(0);
  const flood = (from, to) =>
    mine.apply(
      changes(
        from,
        to,
        Array.from({ length: to - from }, (_, index) => item(from + index + 1)),
      ),
    ).hole;
  assert.equal(flood(0, 2_000), false);
  assert.equal(flood(2_000, 2_001), true);
  assert.equal(mine.cursor, "");
  assert.equal(flood(2_001, 4_000), true);
  assert.equal(mine.items.length, 2_001, "nothing more until then");
  mine.apply({
    type: "reset",
    reason: "start",
    cursor: cursor(4_000),
    items: [item(4_000)],
    unread: 4_000,
    unseen: 4_000,
  });
  assert.equal(mine.items.length, 1);
  assert.equal(flood(4_000, 4_001), false);
});

test("hello brings the counts anew, for what has expired since; one without a position says nothing", () => {
  const mine = store(5, 3, 3);
  mine.apply({ type: "hello", v: 1, cursor: cursor(5), unread: 2, unseen: 1 });
  assert.deepEqual(mine.counts, { unread: 2, unseen: 1 });
  mine.apply({ type: "hello", v: 1, cursor: null, unread: 9, unseen: 9 });
  mine.apply({ type: "hello", v: 1, heartbeat: 35 });
  mine.apply({ type: "hello", v: 1, cursor: cursor(4), unread: 9, unseen: 9 });
  assert.deepEqual(mine.counts, { unread: 2, unseen: 1 });
});

test("a new inbox has no cursor, and starts with a reset", () => {
  const mine = new Store({ cursor: "", unread: 0, unseen: 0 }, Date.now);
  assert.equal(mine.apply({ type: "hello", cursor: null }).hole, false);
  const inbox = new Inbox();
  inbox.create();
  for (const frame of inbox.since(mine.cursor)) mine.apply(frame);
  assert.equal(mine.items.length, 1);
  assert.equal(mine.cursor, inbox.cursor());
});
