/** Whoever signs out leaves nothing behind: no item, no number, no word that they wrote and did not send. */

import assert from "node:assert/strict";
import { getEventListeners, once } from "node:events";
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

/** What the bell's client of a user tells the chat, which is another bundle. */
const signOut = (window, user) => window.dispatchEvent(new CustomEvent("carillon-signed-out", { detail: { user } }));

const kept = (storage) => Object.keys(storage).filter((key) => /draft|outbox/.test(key)).length;

test("drafts and unsent messages go with their author", () => {
  const { storage, window, chat } = writing();
  assert.equal(kept(storage), 2);
  signOut(window, "ada");
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
  forget(storage, undefined, () => true);
  assert.equal(kept(storage), 0);
  assert.doesNotThrow(() => forget(undefined, undefined, () => true));
});

test("two sites of one origin keep nothing of each other's, and forget nothing of each other's", () => {
  const { storage, chat, config } = writing();
  const annex = createChat({ ...config("ada"), site: "annex" });
  assert.deepEqual([annex.drafts.get(7).body, annex.room(7).waiting], ["", []]);
  annex.drafts.set(7, { body: "of the annex", reply_to: null });
  createChat({ ...config("bo"), site: "annex" });
  assert.deepEqual([annex.drafts.get(7).body, chat.drafts.get(7).body], ["", "half a thought"]);
  forget(storage, "annex", () => true);
  assert.equal(kept(storage), 2);
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
  signOut(window, "ada");
  assert.deepEqual([room.messages, room.name, room.me, room.timeline.cursor], [[], "", null, ""]);
});

test("the end of another user's bell, whose page this was before, is nothing to the chat of this one", () => {
  const { storage, window, chat } = writing();
  signOut(window, "bo");
  window.dispatchEvent(new Event("carillon-signed-out")); // of something else on the page
  assert.equal(kept(storage), 2);
  assert.equal(chat.state.name, "closed");
});

test("the bell says who has signed out", async (context) => {
  const { page, stream, state } = await read(context);
  const told = [];
  page.window.addEventListener("carillon-signed-out", ({ detail }) => told.push(detail));
  stream.send({ type: "bye", reason: "signed-out", retry: null });
  await state("signed-out");
  assert.deepEqual(told, [{ user: "alice" }]);
});

test("counts that were on their way at sign-out are not shown when they come", async (context) => {
  const server = await wire(context);
  const browser = new Browser(context);
  const until = new Date(browser.clock.time + 1_000).toISOString();
  const urls = { ...server.urls, socket: null, counts: `${server.url}/api/counts/` };
  const { client, state } = browser.tab({ urls, until, cursor: "inbox=00000001.0" });
  client.start();
  const stream = await server.peers.nth(1);
  stream.send(hello(new Inbox()));
  await state("live");
  await browser.clock.pass(17_000); // expired, and half of the time over which pages ask
  const request = await server.requests.nth(1);
  assert.equal(request.path, "/api/counts/");
  stream.send({ type: "bye", reason: "signed-out", retry: null });
  await state("signed-out");
  request.json({ unread: 4, unseen: 4, cursor: "inbox=00000001.9", until: null });
  await once(request.response, "close");
  await settle();
  assert.deepEqual(client.counts, { unread: 0, unseen: 0 });
});

test("rooms that were on their way at sign-out are not listed when they come", async () => {
  const window = new EventTarget();
  const room = { info: { id: 7, kind: "group", name: "Ropes", members: [] }, me: {}, last: null, cursor: "room-7=1.1" };
  const answers = [];
  const fetch = () =>
    new Promise((resolve) => answers.push(() => resolve(Response.json({ rooms: [room], next: null }))));
  const env = { storage: new MemoryStorage(), window, fetch, frame: (callback) => callback() };
  const chat = createChat({ user: "ada", urls: { rooms: "/rooms/" }, csrf: {}, env });
  chat.list.hold();
  signOut(window, "ada");
  assert.equal(chat.list.loading, false);
  answers[0]();
  await settle();
  assert.deepEqual([chat.list.rooms, chat.list.loaded, chat.room(7).name], [[], false, ""]);
  chat.list.load(); // who is in again asks again
  answers[1]();
  await settle();
  assert.deepEqual([chat.list.rooms.length, chat.list.loaded, chat.list.loading], [1, true, false]);
});

test("a chat that has ended listens to nothing any more", () => {
  const { window, chat } = writing();
  chat.destroy();
  const types = ["storage", "carillon-signed-out", "pagehide", "pageshow", "online", "offline"];
  assert.deepEqual(
    types.map((type) => getEventListeners(window, type).length),
    [0, 0, 0, 0, 0, 0],
  );
});
