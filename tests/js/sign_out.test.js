/** Whoever signs out leaves nothing behind: no item, no number, no word that they wrote and did not send. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { forget } from "../../notifications/static/notifications/src/core/storage.js";
import { createChat } from "../../notifications/static/notifications/src/chat/client.js";
import { Browser } from "./support/browser.js";
import { settle } from "./support/clock.js";
import { Inbox } from "./support/server.js";
import { MemoryStorage } from "./support/storage.js";
import { wire } from "./support/wire.js";

const hello = (inbox, cursor = inbox.cursor()) => ({ type: "hello", v: 1, cursor, heartbeat: 25, ...inbox.counts });

/** A live tab with three items in its list. */
async function read(context, browser = new Browser(context)) {
  const server = await wire(context);
  const inbox = new Inbox();
  for (let count = 0; count < 3; count++) inbox.create();
  const tab = browser.tab({ urls: { ...server.urls, socket: null }, cursor: inbox.cursor(), ...inbox.counts });
  tab.client.start();
  const stream = await server.peers.nth(1);
  stream.send(hello(inbox));
  await tab.state("live");
  const feed = tab.client.feed();
  const loaded = feed.load();
  (await server.requests.nth(1)).json(inbox.page());
  await loaded;
  assert.equal(feed.items.length, 3);
  return { ...server, ...tab, browser, inbox, stream, feed };
}

test("at sign-out the list, the counts and the title are emptied", async (context) => {
  const { client, page, feed, stream, state, until } = await read(context);
  page.hide();
  await until(() => page.document.title === "(3) Site");
  stream.send({ type: "bye", reason: "signed-out", retry: null });
  await state("signed-out");
  await settle();
  assert.deepEqual(feed.items, []);
  assert.deepEqual(client.counts, { unread: 0, unseen: 0 });
  assert.equal(feed.loaded, false, "nobody says that there is nothing");
  assert.equal(page.document.title, "Site");
});

test("another user's page empties those of the last user", async (context) => {
  const { browser, urls, feed, state, client } = await read(context);
  const other = browser.tab({ urls: { ...urls, socket: null }, user: "bob" });
  other.client.start();
  await state("signed-out");
  assert.equal(client.state.reason, "other-user");
  assert.deepEqual(feed.items, []);
  assert.deepEqual(client.counts, { unread: 0, unseen: 0 });
});

test("what was on its way at sign-out is not shown when it comes", async (context) => {
  const { client, requests, stream, state, inbox } = await read(context);
  const feed = client.feed({ state: "unread" });
  const loaded = feed.load();
  const request = await requests.nth(2);
  stream.send({ type: "bye", reason: "signed-out", retry: null });
  await state("signed-out");
  request.json(inbox.page({ state: "unread" }));
  await loaded;
  assert.deepEqual(feed.items, []);
});

test("who is in again gets everything anew", async (context) => {
  const { client, feed, peers, requests, stream, state, inbox } = await read(context);
  stream.send({ type: "bye", reason: "signed-out", retry: null });
  await state("signed-out");
  client.retryNow();
  const again = await peers.nth(2);
  assert.equal(again.since, "");
  again.send({ ...hello(inbox), cursor: null }, inbox.reset());
  await state("live");
  const loaded = feed.load();
  (await requests.nth(2)).json(inbox.page());
  await loaded;
  assert.equal(feed.items.length, 3);
  assert.deepEqual(client.counts, inbox.counts);
});

/** A chat with a draft and an unsent message, in a browser that keeps another user's too. */
function writing() {
  const storage = new MemoryStorage();
  const window = new EventTarget();
  const config = (user) => ({ user, urls: {}, csrf: {}, env: { storage, window, frame: (callback) => callback() } });
  const chat = createChat(config("ada"));
  chat.drafts.set(7, { body: "half a thought", reply_to: null });
  chat.room(7).send("a whole one");
  return { storage, window, chat, config };
}

const kept = (storage) => Object.keys(storage).filter((key) => /draft|outbox/.test(key)).length;

test("drafts and unsent messages go with their author", () => {
  const { storage, window, chat } = writing();
  assert.equal(kept(storage), 2);
  window.dispatchEvent(new Event("carillon-signed-out"));
  assert.equal(kept(storage), 0);
  assert.equal(chat.state.name, "signed-out");
  assert.deepEqual([chat.drafts.get(7).body, chat.room(7).waiting], ["", []]);
});

test("they go when somebody else comes, whose page finds them", () => {
  const { storage, config } = writing();
  storage.setItem("the site's own", "stays");
  createChat(config("bo"));
  assert.equal(kept(storage), 0);
  assert.equal(storage.getItem("the site's own"), "stays");
});

test("they go on a page that nobody is signed in to, and stay for their author", () => {
  const { storage, config } = writing();
  createChat(config("ada"));
  assert.equal(kept(storage), 2);
  forget(storage);
  assert.equal(kept(storage), 0);
  assert.doesNotThrow(() => forget(undefined));
});

test("a room that was open is emptied too", () => {
  const { window, chat } = writing();
  const room = chat.room(7);
  const message = { number: 1, version: 1, kind: "text", author: null, body: "Hi", reactions: [] };
  room.adopt({
    info: { id: 7, kind: "group", name: "Ropes", members: [] },
    me: {},
    last: message,
    cursor: "room-7=1.1",
  });
  assert.equal(room.messages.length, 1);
  window.dispatchEvent(new Event("carillon-signed-out"));
  assert.deepEqual([room.messages, room.name, room.me, room.timeline.cursor], [[], "", null, ""]);
});
