import assert from "node:assert/strict";
import { test } from "node:test";

import { Feed } from "../../notifications/static/notifications/src/inbox/feed.js";
import { Store } from "../../notifications/static/notifications/src/inbox/store.js";
import { settle } from "./support/clock.js";
import { Inbox } from "./support/server.js";

const NOW = "2026-11-21T09:00:00Z";

/** A feed over a store and a server whose pages come when the test says so. */
function bench(filter = {}, count = 0) {
  const inbox = new Inbox();
  for (let index = 0; index < count; index++) inbox.create();
  const store = new Store({ cursor: inbox.cursor(), ...inbox.counts }, Date.now);
  const state = { now: Date.parse(NOW), changed: 0, asked: [], fail: false };
  const around = {
    store,
    config: { urls: { inbox: "/inbox/" } },
    now: () => state.now,
    explain: (key, { message }) => `${key}: ${message}`,
    changed: () => state.changed++,
    ask: async (url) => {
      const query = Object.fromEntries(new URL(url, "http://testserver").searchParams);
      state.asked.push(query);
      const page = inbox.page(query);
      await state.gate;
      if (state.fail) throw new Error("network");
      return page;
    },
  };
  const feed = new Feed(around, { state: "all", category: "", ...filter });
  const sync = () => {
    for (const frame of inbox.since(store.cursor)) if (store.apply(frame).reset) feed.reset();
  };
  const ids = () => feed.items.map(({ id }) => id);
  return { inbox, store, feed, state, sync, ids };
}

test("a feed is empty and not loaded until it is asked for", async () => {
  const { feed, ids } = bench({}, 3);
  assert.deepEqual([ids(), feed.loaded, feed.hasMore], [[], false, false]);
  const loading = feed.load();
  assert.equal(feed.loading, true);
  await loading;
  assert.deepEqual([ids(), feed.loaded, feed.loading, feed.hasMore], [[3, 2, 1], true, false, false]);
});

test("load asks once, however often it is called", async () => {
  const { feed, state } = bench({}, 3);
  await Promise.all([feed.load(), feed.load()]);
  await feed.load();
  assert.equal(state.asked.length, 1);
});

test("pages follow each other without a gap or a repeat", async () => {
  const { feed, ids, state } = bench({}, 45);
  await feed.load();
  assert.deepEqual([ids().length, feed.hasMore], [20, true]);
  await feed.loadMore();
  await feed.loadMore();
  assert.deepEqual(
    ids(),
    Array.from({ length: 45 }, (_, index) => 45 - index),
  );
  assert.equal(feed.hasMore, false);
  assert.deepEqual(
    state.asked.map(({ before }) => before),
    [undefined, "26.26", "6.6"],
  );
});

test("an item that is older than the loaded pages waits for its page", async () => {
  const { feed, ids, inbox, sync } = bench({}, 30);
  await feed.load();
  inbox.act("read", 2);
  sync();
  assert.equal(ids().at(-1), 11);
});

test("an unread feed drops what is read, an archive takes what is archived, a category keeps to itself", async () => {
  const unread = bench({ state: "unread" }, 3);
  await unread.feed.load();
  unread.inbox.act("read", 2);
  unread.sync();
  assert.deepEqual(unread.ids(), [3, 1]);
  const archived = bench({ state: "archived" }, 3);
  await archived.feed.load();
  archived.inbox.act("archive", 2);
  archived.sync();
  assert.deepEqual(archived.ids(), [2]);
  const category = bench({ category: "billing" });
  await category.feed.load();
  category.inbox.create({ category: "billing" });
  category.inbox.create({ category: "news" });
  category.sync();
  assert.deepEqual(category.ids(), [1]);
});

test("while held, arrivals wait aside until they are let in", async () => {
  const { feed, ids, inbox, sync } = bench({}, 2);
  await feed.load();
  feed.hold(true);
  inbox.create();
  inbox.create();
  sync();
  assert.deepEqual([ids(), feed.fresh], [[2, 1], 2]);
  feed.showFresh();
  assert.deepEqual([ids(), feed.fresh], [[4, 3, 2, 1], 0]);
  inbox.create();
  sync();
  assert.equal(feed.fresh, 1, "still held");
  feed.hold(false);
  assert.deepEqual([ids()[0], feed.fresh], [5, 0]);
});

test("held before it is loaded means from the first page on", async () => {
  const { feed, ids, inbox, sync } = bench({}, 2);
  feed.hold(true);
  await feed.load();
  assert.deepEqual([ids(), feed.fresh], [[2, 1], 0]);
  inbox.create();
  sync();
  assert.deepEqual([ids(), feed.fresh], [[2, 1], 1]);
});

test("while held, what is read in the unread feed stays in sight; what is archived goes", async () => {
  const { feed, ids, inbox, sync } = bench({ state: "unread" }, 3);
  await feed.load();
  feed.hold(true);
  inbox.act("read", 3);
  inbox.act("archive", 2);
  sync();
  assert.deepEqual(ids(), [3, 1]);
  feed.hold(false);
  assert.deepEqual(ids(), [1]);
});

test("a list is in the order of ranks, and what grows comes to the top", async () => {
  const { feed, ids, inbox, sync } = bench({}, 45);
  await feed.load();
  inbox.grow(2);
  inbox.grow(40);
  sync();
  assert.deepEqual(ids().slice(0, 3), [40, 2, 45]);
  await feed.loadMore();
  await feed.loadMore();
  assert.deepEqual(new Set(ids()).size, 45, "each once, whatever has moved between two pages");
});

test("while held, what grows stays where it is until it is let go", async () => {
  const { feed, ids, inbox, sync } = bench({}, 3);
  await feed.load();
  feed.hold(true);
  inbox.grow(1, { title: "Grown" });
  sync();
  assert.deepEqual([ids(), feed.items[2].title, feed.fresh], [[3, 2, 1], "Grown", 0]);
  feed.showFresh();
  assert.deepEqual(ids(), [1, 3, 2]);
  inbox.grow(2);
  sync();
  assert.deepEqual(ids(), [1, 3, 2], "still held");
  feed.hold(false);
  assert.deepEqual(ids(), [2, 1, 3]);
});

test("a pin moves its item also while held, whenever its new rank comes", async () => {
  const { feed, ids, inbox, sync } = bench({}, 3);
  await feed.load();
  feed.hold(true);
  feed.showFresh(); // as for whoever has pinned, before the rank is there
  inbox.act("pin", 1);
  sync();
  assert.deepEqual(ids(), [1, 3, 2]);
  feed.showFresh();
  inbox.act("unpin", 1);
  sync();
  assert.deepEqual(ids(), [3, 2, 1]);
});

test("an item that did not change is the same object", async () => {
  const { feed, inbox, sync } = bench({}, 3);
  await feed.load();
  const before = feed.items;
  inbox.act("read", 2);
  sync();
  assert.equal(feed.items[0], before[0]);
  assert.notEqual(feed.items[1], before[1]);
  assert.equal(feed.items[2], before[2]);
});

test("an expired item is gone at its time", async () => {
  const { feed, ids, inbox, sync, state } = bench({}, 1);
  await feed.load();
  inbox.create({ expires_at: new Date(state.now + 5_000).toISOString() });
  sync();
  state.now += 4_999;
  assert.deepEqual(ids(), [2, 1]);
  state.now += 1;
  assert.deepEqual(ids(), [1]);
});

test("a page that fails says so, and can be asked for again", async () => {
  const { feed, ids, state } = bench({}, 3);
  state.fail = true;
  await feed.load();
  assert.deepEqual([feed.loaded, feed.loading, feed.error], [false, false, "couldNotLoad: network"]);
  state.fail = false;
  await feed.loadMore();
  assert.deepEqual([ids(), feed.error], [[3, 2, 1], null]);
});

test("where the first page cannot be had, what this tab has is shown", async () => {
  const { feed, ids, inbox, sync, state } = bench({}, 30);
  inbox.create();
  sync();
  state.fail = true;
  await feed.load();
  assert.deepEqual([ids(), feed.loaded, feed.error], [[31], false, "couldNotLoad: network"]);
  state.fail = false;
  await feed.loadMore();
  assert.deepEqual([ids().length, feed.hasMore, feed.error], [20, true, null]);
});

for (const [what, filter, act] of [
  ["archived", {}, (store, ids) => store.optimisticUpdate({ archived_at: NOW }, ids)],
  ["read", { state: "unread" }, (store, ids) => store.optimisticUpdate({ read_at: NOW }, ids)],
]) {
  test(`a list whose every item is ${what} is not empty while the server has more, and fetches it`, async () => {
    const { feed, ids, inbox, store } = bench(filter, 30);
    await feed.load();
    for (const id of ids()) inbox.act(what === "read" ? "read" : "archive", id);
    act(store, ids());
    assert.deepEqual([ids(), feed.empty], [[], false]);
    feed.refill();
    assert.equal(feed.empty, false, "nor while it is on its way");
    await settle();
    assert.deepEqual([ids().length, feed.hasMore, feed.empty], [10, false, false]);
    act(store, ids());
    assert.equal(feed.empty, true, "now the server has said so");
  });
}

test("a next page that fails keeps what is here", async () => {
  const { feed, ids, state } = bench({}, 30);
  await feed.load();
  state.fail = true;
  await feed.loadMore();
  assert.deepEqual([ids().length, feed.hasMore, !!feed.error], [20, true, true]);
});

test("after a reset the snapshot shows at once and the feed fetches its page again", async () => {
  const { feed, ids, inbox, sync, state } = bench({}, 30);
  await feed.load();
  inbox.renew();
  inbox.create();
  sync();
  assert.equal(ids()[0], 31);
  await settle();
  assert.equal(state.asked.length, 2);
  assert.deepEqual([ids().length, feed.hasMore, feed.loading], [20, true, false]);
});

test("a page from before a reset is thrown away", async () => {
  const { feed, inbox, sync, store, state } = bench({}, 3);
  let open;
  state.gate = new Promise((resolve) => (open = resolve));
  feed.load();
  inbox.remove(3);
  inbox.renew();
  sync();
  open();
  await settle();
  assert.deepEqual(
    feed.items.map(({ id }) => id),
    [2, 1],
  );
  assert.equal(store.cursor, inbox.cursor());
  assert.deepEqual([feed.loaded, feed.loading], [true, false]);
});

test("a feed that nobody asked for does not fetch at a reset", () => {
  const { inbox, sync, state } = bench({}, 3);
  inbox.renew();
  sync();
  assert.equal(state.asked.length, 0);
});

test("a list is narrowed by kind, and a search shows what the server has found and what is known to match", async () => {
  const { feed, inbox, ids, sync } = bench({ kind: "comment", q: "Bell" });
  inbox.create({ kind: "comment", title: "The bell" });
  inbox.create({ kind: "comment", title: "Sent as “bell”, told in another language" });
  inbox.create({ kind: "comment", title: "A rope" });
  inbox.create({ kind: "order", title: "A bell" });
  await feed.load();
  assert.deepEqual(ids(), [2, 1]);
  inbox.create({ kind: "comment", title: "BELLS" });
  inbox.create({ kind: "comment", title: "Nothing" });
  sync();
  assert.deepEqual(ids(), [5, 2, 1]);
});
