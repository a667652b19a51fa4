/** Many tabs, one connection: sharing, hand-over, the back/forward cache, users that come and go. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { Browser } from "./support/browser.js";
import { settle } from "./support/clock.js";
import { Inbox } from "./support/server.js";
import { wire } from "./support/wire.js";

/** A browser with tabs of one user, the first of which is live. */
async function open(context, count, more = {}) {
  const server = await wire(context);
  const browser = new Browser(context);
  if (more.locks === null) browser.locks = undefined;
  const inbox = new Inbox();
  const urls = { ...server.urls, socket: null };
  const tab = (own = {}) => {
    const made = browser.tab({ urls, cursor: inbox.cursor(), ...inbox.counts, ...own });
    made.client.start();
    return made;
  };
  const greet = async (number) => {
    const stream = await server.peers.nth(number);
    stream.send(
      { type: "hello", v: 1, connection: "c", cursor: stream.since, heartbeat: 25, ...inbox.counts },
      ...inbox.since(stream.since),
    );
    return stream;
  };
  const tabs = [];
  for (let index = 0; index < count; index++) {
    tabs.push(tab(more));
    if (!index) await settle(); // the first is first in line
  }
  const stream = await greet(1);
  await Promise.all((browser.locks ? tabs : tabs.slice(0, 1)).map(({ state }) => state("live")));
  const leaders = () => tabs.filter(({ client }) => client.leading);
  return { ...server, browser, inbox, urls, tab, tabs, stream, greet, leaders };
}

test("ten tabs share one connection and all are live", async (context) => {
  const { peers, tabs, leaders } = await open(context, 10);
  assert.equal(peers.length, 1);
  assert.equal(leaders().length, 1);
  assert.ok(tabs.every(({ client }) => client.state.name === "live" && client.state.transport === "stream"));
});

test("every tab gets what arrives, and tells of it", async (context) => {
  const { stream, tabs, inbox } = await open(context, 3);
  inbox.create();
  stream.send(...inbox.since(inbox.cursor(0)));
  await Promise.all(
    tabs.map(({ until, client, seen }) => until(() => client.counts.unread === 1 && seen.notification.length === 1)),
  );
});

test("a tab that opens later is told the state, and asks for what it missed", async (context) => {
  const { stream, tab, inbox, requests } = await open(context, 1);
  inbox.create();
  stream.send(...inbox.since(inbox.cursor(0)));
  await settle();
  const late = tab({ cursor: inbox.cursor(0), unread: 0, unseen: 0 });
  await late.state("live");
  const { path, query, json } = await requests.nth(1);
  assert.deepEqual([path, query.since], ["/changes/", "inbox=00000001.0"]);
  json({ frames: inbox.since(query.since) });
  await late.until(() => late.client.counts.unread === 1);
});

test("the leader closes: another continues from its own cursor, and nothing is missing", async (context) => {
  const { stream, tabs, inbox, greet, peers, leaders } = await open(context, 3);
  inbox.create();
  stream.send(...inbox.since(inbox.cursor(0)));
  await tabs[1].until(() => tabs[1].client.counts.unread === 1);
  tabs[0].client.destroy();
  inbox.create(); // between the two connections
  const next = await peers.nth(2);
  assert.equal(next.since, "inbox=00000001.1");
  await greet(2);
  await Promise.all(
    tabs
      .slice(1)
      .map(({ until, client, seen }) => until(() => client.counts.unread === 2 && seen.notification.length === 2)),
  );
  assert.deepEqual(leaders().length, 1);
  assert.deepEqual(
    tabs[1].seen.notification.map(({ total }) => total),
    [1, 1],
  );
});

test("followers show what the leader says of the connection", async (context) => {
  const { stream, tabs, browser, greet } = await open(context, 2);
  stream.cut();
  await Promise.all(tabs.map(({ state }) => state("reconnecting")));
  assert.deepEqual(tabs[1].client.state, tabs[0].client.state);
  await browser.clock.pass(250);
  await greet(2);
  await Promise.all(tabs.map(({ state }) => state("live")));
});

test("any tab may try now", async (context) => {
  const { stream, tabs, peers } = await open(context, 2);
  stream.cut();
  await tabs[1].state("reconnecting");
  tabs[1].client.retryNow();
  await peers.nth(2);
});

for (const [gone, back, target] of [
  ["pagehide", "pageshow", "window"],
  ["freeze", "resume", "document"],
]) {
  test(`${gone}: the leader lets go at once, and follows after ${back}`, async (context) => {
    const { stream, tabs, peers, greet } = await open(context, 2);
    const closed = stream.gone;
    tabs[0].page.tell(gone, target);
    await closed;
    assert.equal(tabs[0].client.state.name, "paused");
    assert.equal(tabs[0].client.leading, false);
    await greet(2);
    await tabs[1].state("live");
    assert.equal(tabs[1].client.leading, true);
    tabs[0].page.tell(back, target);
    await tabs[0].state("live");
    assert.equal(tabs[0].client.leading, false);
    assert.equal(peers.length, 2);
  });
}

test("a cached page listens to no channel: Chromium drops a cached page that gets a message", async (context) => {
  const { tabs, browser } = await open(context, 2);
  tabs[0].page.tell("pagehide");
  assert.equal(browser.channels.size, 1);
  tabs[0].page.tell("pageshow");
  assert.equal(browser.channels.size, 2);
});

test("the only tab comes back from the cache and continues from its cursor", async (context) => {
  const { stream, tabs, inbox, browser, greet } = await open(context, 1);
  inbox.create();
  stream.send(...inbox.since(inbox.cursor(0)));
  await tabs[0].until(() => tabs[0].client.counts.unread === 1);
  tabs[0].page.tell("pagehide");
  inbox.create();
  tabs[0].page.tell("pageshow");
  await settle();
  await browser.clock.pass(1_000);
  await greet(2);
  await tabs[0].until(() => tabs[0].client.counts.unread === 2);
});

test("a lock that the browser breaks is lost leadership: one connection remains", async (context) => {
  const { tabs, browser, stream, greet, leaders } = await open(context, 2);
  const closed = stream.gone;
  browser.locks.break(browser.locks.held.find(({ mode }) => mode === "exclusive"));
  await closed;
  await greet(2);
  await Promise.all(tabs.map(({ state }) => state("live")));
  assert.deepEqual(leaders(), [tabs[1]]);
});

test("a tab that is looked at takes the lead from a hidden one, but not at once", async (context) => {
  const { tabs, browser, greet, leaders, peers } = await open(context, 2);
  tabs[1].page.hide();
  tabs[0].page.hide();
  tabs[1].page.show();
  await browser.clock.pass(4_000);
  tabs[1].page.hide();
  tabs[1].page.show(); // to and fro
  await browser.clock.pass(4_000);
  assert.equal(peers.length, 1);
  await browser.clock.pass(1_000);
  await greet(2);
  await tabs[1].state("live");
  assert.deepEqual(leaders(), [tabs[1]]);
});

test("of two visible tabs the leader stays the leader", async (context) => {
  const { tabs, browser, leaders, peers, stream, inbox } = await open(context, 2);
  for (let count = 0; count < 20; count++) {
    await browser.clock.pass(10_000);
    inbox.create();
    stream.send(...inbox.since(inbox.cursor(inbox.head - 1)));
    await tabs[1].until(() => tabs[1].client.counts.unread === inbox.head);
  }
  assert.equal(peers.length, 1);
  assert.deepEqual(leaders(), [tabs[0]]);
});

test("a leader that does not answer is replaced", async (context) => {
  const { tabs, browser, peers } = await open(context, 2);
  for (const channel of browser.channels)
    if (channel.onmessage && channel === [...browser.channels][0]) channel.onmessage = () => {}; // it hangs
  tabs[1].page.hide();
  tabs[1].page.show();
  await browser.clock.pass(5_000);
  await peers.nth(2);
  assert.equal(tabs[1].client.leading, true);
});

test("sign-out in one tab signs all out, and no tab connects again", async (context) => {
  const { tabs, stream, peers, browser, leaders } = await open(context, 3);
  stream.send({ type: "bye", reason: "signed-out", retry: null });
  await Promise.all(tabs.map(({ state }) => state("signed-out")));
  await browser.clock.pass(3_600_000);
  for (const { page } of tabs) page.tell("online");
  await settle();
  assert.equal(peers.length, 1);
  assert.equal(leaders().length, 0);
});

test("401 to a follower's request signs all out", async (context) => {
  const { tabs, requests } = await open(context, 2);
  tabs[1].client.markAllRead();
  (await requests.nth(1)).json({ code: "signed-out", message: "" }, 401);
  await Promise.all(tabs.map(({ state }) => state("signed-out")));
});

test("a page that signs in again brings the others back", async (context) => {
  const { tabs, stream, tab, greet } = await open(context, 2);
  stream.send({ type: "bye", reason: "signed-out", retry: null });
  await Promise.all(tabs.map(({ state }) => state("signed-out")));
  const fresh = tab();
  await greet(2);
  await Promise.all([fresh, ...tabs].map(({ state }) => state("live")));
  assert.equal(fresh.client.leading, true);
});

test("another user's page signs this user's tabs out; feeds never mix", async (context) => {
  const { tabs, tab, greet, stream } = await open(context, 2);
  const closed = stream.gone;
  const bob = tab({ user: "bob", cursor: "inbox=00000002.5" });
  await Promise.all(tabs.map(({ state }) => state("signed-out")));
  assert.equal(tabs[1].client.state.reason, "other-user");
  await closed;
  assert.equal((await greet(2)).since, "inbox=00000002.5");
  await bob.state("live");
  assert.equal(bob.client.counts.unread, 0);
});

test("tabs in two languages have a connection each, in their own, and never hear each other's items", async (context) => {
  const { stream, tab, tabs, greet, inbox, peers } = await open(context, 2);
  const german = tab({ language: "de" });
  const own = await greet(2);
  await german.state("live");
  assert.deepEqual(
    peers.map(({ language }) => language),
    ["en", "de"],
  );
  inbox.create();
  const [frame] = inbox.since(inbox.cursor(0));
  stream.send(frame);
  await Promise.all(tabs.map(({ until, client }) => until(() => client.counts.unread === 1)));
  assert.equal(german.client.counts.unread, 0);
  own.send({ ...frame, items: frame.items.map((item) => ({ ...item, title: "Neu" })) });
  await german.until(() => german.seen.notification.length === 1);
  assert.equal(german.seen.notification[0].items[0].title, "Neu");
  assert.notEqual(tabs[1].seen.notification[0].items[0].title, "Neu");
});

test("an older page of another user does not sign the present one out", async (context) => {
  const { tabs, tab } = await open(context, 1);
  const bob = tab({ user: "bob" });
  await tabs[0].state("signed-out");
  tabs[0].client.retryNow(); // its session is gone: the server will say so
  await settle();
  assert.notEqual(bob.client.state.name, "signed-out");
});

test("after a deploy an old tab is told that it is outdated, and goes on", async (context) => {
  const { tabs, tab, stream, inbox } = await open(context, 1);
  const fresh = tab({ version: "1.1" });
  await fresh.state("live");
  await tabs[0].until(() => tabs[0].client.outdated);
  assert.equal(fresh.client.outdated, false);
  inbox.create();
  stream.send(...inbox.since(inbox.cursor(0)));
  await Promise.all([fresh, tabs[0]].map(({ until, client }) => until(() => client.counts.unread === 1)));
});

test("tabs of another protocol are left alone, but their sign-out counts", async (context) => {
  const { tabs, browser } = await open(context, 1);
  const foreign = new browser.BroadcastChannel([...browser.channels][0].name);
  const mark = { user: "alice", version: "9", born: 0, protocol: 99 };
  foreign.postMessage({
    ...mark,
    type: "frame",
    frame: { type: "reset", cursor: "x", items: [], unread: 9, unseen: 9 },
  });
  foreign.postMessage({ ...mark, type: "state", state: { name: "confused" } });
  await settle();
  assert.equal(tabs[0].client.state.name, "live");
  assert.equal(tabs[0].client.counts.unread, 0);
  foreign.postMessage({ ...mark, type: "signed-out", reason: "signed-out" });
  await tabs[0].state("signed-out");
  foreign.close();
});

test("one panel opened is told to the other tabs", async (context) => {
  const { tabs, stream, inbox } = await open(context, 2);
  inbox.create();
  stream.send(...inbox.since(inbox.cursor(0)));
  await tabs[1].until(() => tabs[1].client.counts.unseen === 1);
  tabs[1].client.markSeen();
  await tabs[0].until(() => tabs[0].seen.seen.length === 1);
});

test("without Web Locks each tab connects for itself", async (context) => {
  const { tabs, greet, stream, inbox, leaders } = await open(context, 2, { locks: null });
  const second = await greet(2);
  await tabs[1].state("live");
  assert.equal(leaders().length, 2);
  inbox.create();
  for (const each of [stream, second]) each.send(...inbox.since(inbox.cursor(0)));
  await Promise.all(tabs.map(({ until, client }) => until(() => client.counts.unread === 1)));
});

test("without Web Locks a tab that stays hidden lets go of its connection, and takes it up when it is seen", async (context) => {
  const { tabs, browser, greet, stream } = await open(context, 1, { locks: null });
  tabs[0].page.hide();
  await browser.clock.pass(20_000);
  stream.send({ type: "heartbeat", head: "inbox=00000001.0" });
  assert.equal(tabs[0].client.state.name, "live");
  await browser.clock.pass(10_000);
  assert.deepEqual([tabs[0].client.state.name, tabs[0].client.state.reason], ["paused", "hidden"]);
  tabs[0].page.show();
  await browser.clock.pass(1_000);
  await greet(2);
  await tabs[0].state("live");
});

test("without a channel a tab is alone and works", async (context) => {
  const { tabs } = await open(context, 1, { env: { BroadcastChannel: undefined } });
  assert.equal(tabs[0].client.state.name, "live");
});
