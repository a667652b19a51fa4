/** The whole client against a real server: what arrives, what is shown, what the user does. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { Browser } from "./support/browser.js";
import { settle } from "./support/clock.js";
import { Inbox, item } from "./support/server.js";
import { wire } from "./support/wire.js";

const hello = (inbox, cursor = inbox.cursor()) => ({
  type: "hello",
  v: 1,
  connection: "c",
  cursor,
  heartbeat: 25,
  time: "2026-11-21T08:00:00Z",
  ...inbox.counts,
});

/** A tab that is live, with the server's end of its stream. */
async function live(context, more = {}) {
  const server = await wire(context);
  const browser = new Browser(context);
  const inbox = new Inbox();
  const tab = browser.tab({ urls: { ...server.urls, socket: null }, cursor: inbox.cursor(), ...more });
  tab.client.start();
  const stream = await server.peers.nth(1);
  stream.send(hello(inbox));
  await tab.state("live");
  /** What the server does, and tells. */
  const publish = (act) => {
    const from = inbox.cursor();
    act(inbox);
    stream.send(...inbox.since(from));
  };
  return { ...server, ...tab, browser, inbox, tab, stream, publish };
}

test("the counts are right before any request", (context) => {
  const { client } = new Browser(context).tab({ urls: {}, unread: 7, unseen: 3 });
  assert.deepEqual(client.counts, { unread: 7, unseen: 3 });
  assert.equal(client.state.name, "closed");
});

test("a notification arrives: counts, feed and event, in one rendering", async (context) => {
  const { client, until, seen, publish, requests, inbox } = await live(context);
  const feed = client.feed();
  const loaded = feed.load();
  (await requests.nth(1)).json(inbox.page());
  await loaded;
  await settle();
  seen.change.length = 0;
  publish((inbox) => {
    for (let count = 0; count < 3; count++) inbox.create();
  });
  await until(() => feed.items.length);
  await settle();
  assert.equal(seen.change.length, 1);
  assert.deepEqual(
    feed.items.map(({ id }) => id),
    [3, 2, 1],
  );
  assert.deepEqual(client.counts, { unread: 3, unseen: 3 });
  assert.deepEqual(
    seen.notification.map(({ items, total }) => [items.map(({ id }) => id), total]),
    [[[1, 2, 3], 3]],
  );
});

test("a flood is one event with its number and the last of its items", async (context) => {
  const { seen, until, stream, inbox } = await live(context);
  for (let count = 0; count < 90; count++) inbox.create();
  stream.raw(
    inbox
      .since(inbox.cursor(0), 100)
      .map((frame) => `event: changes\ndata: ${JSON.stringify(frame)}\n\n`)
      .join(""),
  );
  await until(() => seen.notification.length);
  assert.equal(seen.notification[0].total, 90);
  assert.deepEqual(
    seen.notification[0].items.map(({ id }) => id),
    Array.from({ length: 20 }, (_, index) => 71 + index),
  );
});

test("a killed server: reconnecting, live again, and nothing is missing or double", async (context) => {
  const { client, browser, peers, inbox, stream, publish, state, seen, until, told } = await live(context);
  publish((inbox) => inbox.create());
  await until(() => seen.notification.length === 1);
  stream.cut();
  await state("reconnecting");
  for (let count = 0; count < 3; count++) inbox.create();
  await browser.clock.pass(1_000);
  const again = await peers.nth(2);
  assert.equal(again.since, "inbox=00000001.1");
  again.send(hello(inbox, again.since), ...inbox.since(again.since, 2));
  await until(() => client.counts.unread === 4 && seen.notification.length === 2);
  assert.deepEqual(
    seen.notification[1].items.map(({ id }) => id),
    [2, 3, 4],
  );
  assert.deepEqual(
    told().filter((name, index, all) => name !== all[index - 1]),
    ["connecting", "live", "reconnecting", "connecting", "live"],
  );
});

test("state events tell from, to, reason, attempt and the next try", async (context) => {
  const { seen, stream, state, browser } = await live(context);
  stream.cut();
  await state("reconnecting");
  const { from, to, reason, attempt, nextTryAt, troubledSince, transport } = seen.state.at(-1);
  assert.deepEqual(
    { from, to, reason, attempt, wait: nextTryAt - browser.clock.time, troubledSince, transport },
    {
      from: "live",
      to: "reconnecting",
      reason: "network",
      attempt: 1,
      wait: 250,
      troubledSince: browser.clock.time,
      transport: "stream",
    },
  );
});

test("a timer that comes a moment early is set again", async (context) => {
  const env = (clock) => ({
    random: () => 0.5003,
    setTimeout: (callback, time) => clock.setTimeout(callback, Math.max(1, Math.trunc(time) - 1)),
  });
  const { stream, state, browser, peers } = await live(context, { env });
  stream.cut();
  await state("reconnecting");
  await browser.clock.pass(252);
  await peers.nth(2);
});

test("a hole is filled by asking from the cursor", async (context) => {
  const { client, requests, stream, inbox, until } = await live(context);
  for (let count = 0; count < 5; count++) inbox.create();
  stream.send(...inbox.since(inbox.cursor(4)));
  const { path, query, json } = await requests.nth(1);
  assert.deepEqual([path, query.since], ["/changes/", "inbox=00000001.0"]);
  json({ frames: inbox.since("inbox=00000001.0", 2) });
  await until(() => client.counts.unread === 5);
});

test("a heartbeat that is ahead is a hole", async (context) => {
  const { requests, stream, inbox } = await live(context);
  inbox.create();
  stream.send(inbox.heartbeat());
  assert.equal((await requests.nth(1)).path, "/changes/");
});

test("mark read: shown at once, sent with the token of the cookie, confirmed by the frame", async (context) => {
  const { client, page, requests, publish, until, inbox } = await live(context);
  page.document.cookie = "other=1; csrftoken=from%2Dthe%2Dcookie";
  publish((inbox) => inbox.create());
  await until(() => client.counts.unread === 1);
  const done = client.markRead(1);
  assert.deepEqual(client.counts, { unread: 0, unseen: 0 });
  const { method, path, headers, json } = await requests.nth(1);
  assert.deepEqual([method, path, headers["x-csrftoken"]], ["POST", "/api/inbox/1/read/", "from-the-cookie"]);
  inbox.act("read", 1);
  json({ item: inbox.rows.get(1), ...inbox.counts });
  assert.equal(await done, true);
  assert.deepEqual(client.counts, { unread: 0, unseen: 0 });
});

test("without a readable cookie the page's token is sent", async (context) => {
  const { client, requests } = await live(context, { csrf: { header: "X-CSRFToken", cookie: null, token: "page" } });
  client.markAllRead();
  assert.equal((await requests.nth(1)).headers["x-csrftoken"], "page");
});

test("a refusal rolls back and says so; retry tries again", async (context) => {
  const { client, requests, publish, until, seen } = await live(context, {
    strings: { couldNotArchive: "Konnte nicht archivieren." },
  });
  publish((inbox) => inbox.create());
  await until(() => client.counts.unread === 1);
  const done = client.archive([1]);
  assert.equal(client.counts.unread, 0);
  (await requests.nth(1)).json({ code: "busy", message: "later" }, 503);
  assert.equal(await done, false);
  assert.equal(client.counts.unread, 1);
  const [{ action, ids, message, retry }] = seen.failure;
  assert.deepEqual(
    { action, ids, message },
    { action: "archive", ids: [1], message: "Konnte nicht archivieren. later" },
  );
  const again = retry();
  assert.equal(client.counts.unread, 0);
  (await requests.nth(2)).json({});
  assert.equal(await again, true);
});

test("the network away is a refusal in English too", async (context) => {
  const { client, requests, publish, until, seen } = await live(context);
  publish((inbox) => inbox.create());
  await until(() => client.counts.unread === 1);
  client.markRead(1);
  (await requests.nth(1)).response.socket.destroy();
  await until(() => seen.failure.length);
  assert.equal(seen.failure[0].message, "Could not mark as read.");
});

test("two changes of one item are sent one after the other, of two items at once", async (context) => {
  const { client, requests, publish, until } = await live(context);
  publish((inbox) => [inbox.create(), inbox.create()]);
  await until(() => client.counts.unread === 2);
  client.markRead(1);
  client.markUnread(1);
  client.markRead(2);
  await requests.nth(2);
  assert.deepEqual(requests.map(({ path }) => path).sort(), ["/api/inbox/1/read/", "/api/inbox/2/read/"]);
  requests.find(({ path }) => path.includes("/1/")).json({});
  assert.equal((await requests.nth(3)).path, "/api/inbox/1/unread/");
});

test("seen and read-all name the position that this tab knows", async (context) => {
  const { client, requests, publish, until } = await live(context);
  assert.equal(await client.markSeen(), true, "nothing to do");
  publish((inbox) => [inbox.create(), inbox.create()]);
  await until(() => client.counts.unseen === 2);
  client.markSeen();
  assert.deepEqual(client.counts, { unread: 2, unseen: 0 });
  client.markAllRead();
  assert.deepEqual(client.counts, { unread: 0, unseen: 0 });
  await requests.nth(2);
  assert.deepEqual(requests.map(({ path, body }) => [path, body.up_to]).sort(), [
    ["/api/inbox/read-all/", "inbox=00000001.2"],
    ["/api/inbox/seen/", "inbox=00000001.2"],
  ]);
});

test("401 to an action signs the page out", async (context) => {
  const { client, requests, state } = await live(context);
  client.markAllRead();
  (await requests.nth(1)).json({ code: "signed-out", message: "" }, 401);
  await state("signed-out");
});

for (const [what, frame, name, reason] of [
  ["sign-out", { type: "bye", reason: "signed-out", retry: null }, "signed-out", "signed-out"],
  ["a lost permission", { type: "bye", reason: "revoked", retry: null }, "closed", "revoked"],
  ["an unknown version", { type: "hello", v: 2 }, "closed", "version"],
  ["a planned end", { type: "bye", reason: "max-age", retry: 100 }, "reconnecting", "max-age"],
  ["a drain", { type: "bye", reason: "drain", retry: 100 }, "reconnecting", "drain"],
  ["an error", { type: "error", code: "busy", message: "", retry: 5_000 }, "reconnecting", "busy"],
]) {
  test(`${what} is understood`, async (context) => {
    const { client, stream, state } = await live(context);
    const { gone } = stream;
    stream.send(frame);
    await state(name);
    assert.equal(client.state.reason, reason);
    await gone;
  });
}

test("unknown frames are ignored", async (context) => {
  const { client, stream, publish, until } = await live(context);
  stream.send(
    { type: "confetti", colours: 7 },
    { type: "message", room: 7, from: "room-7=00000001.1", to: "room-7=00000001.2", messages: [] },
  );
  publish((inbox) => inbox.create());
  await until(() => client.counts.unread === 1);
  assert.equal(client.state.name, "live");
});

test("elements may come and go: the connection stays while anyone holds it, and five seconds longer", async (context) => {
  const server = await wire(context);
  const browser = new Browser(context);
  const { client, state } = browser.tab({ urls: { ...server.urls, socket: null } });
  const [first, second] = [client.hold(), client.hold()];
  (await server.peers.nth(1)).send(hello(new Inbox()));
  await state("live");
  first();
  first();
  await browser.clock.pass(20_000);
  assert.equal(client.state.name, "live");
  second();
  await browser.clock.pass(4_000);
  const third = client.hold();
  await browser.clock.pass(5_000);
  assert.equal(client.state.name, "live");
  assert.equal(server.peers.length, 1);
  third();
  await browser.clock.pass(5_000);
  assert.equal(client.state.name, "closed");
});

test("stop stops, start starts again from the cursor", async (context) => {
  const { client, stream, peers, publish, until } = await live(context);
  publish((inbox) => inbox.create());
  await until(() => client.counts.unread === 1);
  const { gone } = stream;
  client.stop();
  await gone;
  client.retryNow();
  assert.equal(client.state.name, "closed");
  client.start();
  assert.equal((await peers.nth(2)).since, "inbox=00000001.1");
});

test("falls back to the socket and to polling, and comes back to streaming", async (context) => {
  const server = await wire(context);
  const browser = new Browser(context);
  const inbox = new Inbox();
  const { client, state, until } = browser.tab({ urls: { ...server.urls, socket: null } });
  client.start();
  for (let count = 1; count <= 3; count++) {
    (await server.peers.nth(count)).cut();
    await until(() => client.state.attempt === count && client.state.nextTryAt);
    await browser.clock.pass(client.state.nextTryAt - browser.clock.time);
  }
  const poll = await server.peers.nth(4);
  assert.equal(poll.kind, "poll");
  inbox.create();
  poll.send(...inbox.since(poll.since));
  await state("polling");
  assert.equal(client.counts.unread, 1);
  await browser.clock.pass(2_000);
  const stream = await server.peers.nth(server.peers.findLastIndex(({ kind }) => kind === "stream") + 1);
  assert.equal(stream.kind, "stream");
  assert.equal(client.state.name, "polling");
  stream.send(hello(inbox));
  await state("live");
});

test("a server under WSGI is polled at once", async (context) => {
  const server = await wire(context);
  const { client, state } = new Browser(context).tab({ urls: { ...server.urls, socket: null } });
  client.start();
  (await server.peers.nth(1)).refuse(501, "no-streaming");
  const poll = await server.peers.nth(2);
  poll.send({ type: "heartbeat", head: "inbox=00000001.0" });
  await state("polling");
});

test("a hidden tab counts in its title, and leaves the title alone when it is seen", async (context) => {
  const { page, publish, until, client } = await live(context);
  page.hide();
  publish((inbox) => [inbox.create(), inbox.create()]);
  await until(() => page.document.title === "(2) Site");
  page.document.title = "Other page";
  publish((inbox) => inbox.create());
  await until(() => page.document.title === "(3) Other page");
  page.show();
  assert.equal(page.document.title, "Other page");
  assert.equal(client.counts.unseen, 3);
});

test("a listener that throws harms no other", async (context) => {
  const reported = [];
  globalThis.reportError = (error) => reported.push(error);
  context.after(() => delete globalThis.reportError);
  const { client, publish, seen, until } = await live(context);
  client.on("notification", () => {
    throw new Error("mine");
  });
  const heard = [];
  const off = client.on("notification", (event) => heard.push(event));
  publish((inbox) => inbox.create());
  await until(() => seen.notification.length);
  assert.equal(heard.length, 1);
  assert.deepEqual(
    reported.map(({ message }) => message),
    ["mine"],
  );
  off();
  publish((inbox) => inbox.create());
  await until(() => seen.notification.length === 2);
  assert.equal(heard.length, 1);
});

test("an item made without a position is settled by its frame", async (context) => {
  const { client, stream, until } = await live(context);
  stream.send({
    type: "reset",
    reason: "start",
    cursor: "inbox=00000001.5",
    items: [item(5, { version: 0 })],
    unread: 1,
    unseen: 1,
  });
  await until(() => client.counts.unread === 1);
  stream.send({
    type: "changes",
    from: "inbox=00000001.5",
    to: "inbox=00000001.6",
    items: [item(5, { version: 6, read_at: "x" })],
    unread: 0,
    unseen: 0,
  });
  await until(() => client.counts.unread === 0);
});

test("many are archived by one request, and told of once if it fails", async (context) => {
  const { client, requests, publish, until, seen } = await live(context);
  publish((inbox) => Array.from({ length: 400 }, () => inbox.create()));
  await until(() => client.counts.unread === 400);
  const ids = Array.from({ length: 400 }, (_, index) => index + 1);
  const done = client.archive([...ids, 7, 7]);
  assert.equal(client.counts.unread, 0);
  const { path, body, json } = await requests.nth(1);
  assert.deepEqual([path, body.action, body.ids], ["/api/inbox/bulk/", "archive", ids]);
  json({ code: "busy", message: "later" }, 503);
  assert.equal(await done, false);
  assert.equal(client.counts.unread, 400);
  assert.deepEqual([seen.failure.length, seen.failure[0].ids.length], [1, 400]);
  seen.failure[0].retry();
  assert.deepEqual((await requests.nth(2)).body.ids, ids);
});

test("what is done says what was seen of the items, and not what came since", async (context) => {
  const { client, requests, publish, until } = await live(context);
  publish((inbox) => inbox.create());
  await until(() => client.counts.unread === 1);
  const done = client.archive(1);
  publish((inbox) => inbox.grow(1, { title: "Unseen" }));
  const { body, json } = await requests.nth(1);
  assert.deepEqual(body, { up_to: "inbox=00000001.1" });
  json({ item: {} });
  assert.equal(await done, true);
  await until(() => client.store.items[0].title === "Unseen");
  assert.deepEqual([client.store.items[0].archived_at, client.counts.unread], [null, 1], "the server has left it");
  for (const verb of ["markRead", "follow", "archive", "markUnread", "unarchive"]) client[verb](1);
  const sent = [];
  for (let number = 2; number <= 6; number++) {
    const request = await requests.nth(number);
    sent.push(request.body.up_to);
    request.json({});
  }
  assert.deepEqual(sent, [...Array(3).fill("inbox=00000001.2"), undefined, undefined]);
});

test("of many, those that are ahead say nothing of what the others have grown by", async (context) => {
  const { client, requests } = await live(context);
  const items = [item(1, { version: 9 }), item(2, { version: 0 }), item(3, { version: 4 }), item(4, { version: 7 })];
  client.store.apply({ type: "reset", cursor: "inbox=00000001.5", items: [items[2]], unread: 4, unseen: 4 });
  client.store.page({ items, cursor: "inbox=00000001.8", unread: 4, unseen: 4 });
  client.markRead([3, 8, 1, 4]);
  await requests.nth(2);
  const told = requests.map(({ body }) => [body.ids, body.up_to]).sort();
  assert.deepEqual(told, [
    [[1, 4], "inbox=00000001.9"],
    [[3, 8], "inbox=00000001.5"],
  ]);
  for (const { json } of requests) json({});
  client.markRead(2);
  assert.deepEqual((await requests.nth(3)).body, {}, "it has no position yet");
  client.store.clear();
  client.markRead(3);
  assert.deepEqual((await requests.nth(4)).body, {}, "and neither has a page without an inbox");
});

test("more than a thousand are sent in parts", async (context) => {
  const { client, requests } = await live(context);
  client.markRead(Array.from({ length: 2_001 }, (_, index) => index + 1));
  await requests.nth(3);
  assert.deepEqual(requests.map(({ body }) => body.ids?.length ?? 1).sort(), [1, 1_000, 1_000].sort());
});

test("a change of one item waits for that of many which it is one of", async (context) => {
  const { client, requests } = await live(context);
  client.markRead([1, 2, 3]);
  client.markUnread(2);
  client.markUnread(4);
  await requests.nth(2);
  await settle();
  assert.deepEqual(requests.map(({ path }) => path).sort(), ["/api/inbox/4/unread/", "/api/inbox/bulk/"]);
  requests.find(({ path }) => path.includes("bulk")).json({});
  assert.equal((await requests.nth(3)).path, "/api/inbox/2/unread/");
});

test("only what is sent while the page leaves is to outlive it", async (context) => {
  const asked = [];
  const env = {
    fetch: (url, init) => {
      if (init.method) asked.push([new URL(url).pathname, !!init.keepalive]);
      return fetch(url, init);
    },
  };
  const { client, requests, page } = await live(context, { env });
  client.archive(1);
  client.follow(2);
  await requests.nth(2);
  assert.deepEqual(asked.splice(0).sort(), [
    ["/api/inbox/1/archive/", false],
    ["/api/inbox/2/click/", true],
  ]);
  requests.find(({ path }) => path.includes("click")).json({});
  await settle();
  page.tell("pagehide");
  await requests.nth(3);
  assert.deepEqual(asked, [["/api/inbox/1/archive/", true]]);
});

test("where a browser lets nothing outlive the page, it is sent as everything is", async (context) => {
  const env = {
    fetch: (url, init) => (init.keepalive ? Promise.reject(new TypeError("quota")) : fetch(url, init)),
  };
  const { client, requests } = await live(context, { env });
  const done = client.follow(1);
  (await requests.nth(1)).json({});
  assert.equal(await done, true);
});

test("a token of an earlier session is renewed once, and the request repeated", async (context) => {
  const { client, requests, urls, url } = await live(context, {
    csrf: { header: "X-CSRFToken", cookie: null, token: "old" },
  });
  client.config.urls.csrf = `${url}/csrf/`;
  assert.ok(urls);
  const done = client.markRead(1);
  const refuse = (request) => request.json({ code: "csrf", message: "Reload the page." }, 403);
  refuse(await requests.nth(1));
  const asked = await requests.nth(2);
  assert.deepEqual([asked.method, asked.path], ["GET", "/csrf/"]);
  asked.json({ token: "new" });
  const again = await requests.nth(3);
  assert.deepEqual([again.path, again.headers["x-csrftoken"]], ["/api/inbox/1/read/", "new"]);
  again.json({});
  assert.equal(await done, true);
  client.markUnread(1);
  const later = await requests.nth(4);
  assert.equal(later.headers["x-csrftoken"], "new");
  refuse(later);
  (await requests.nth(5)).json({ token: "newer" });
  refuse(await requests.nth(6));
  await settle();
  assert.equal(requests.length, 6, "once");
});

const BECAUSE = {
  couldNotArchive: "Could not archive.",
  "because-offline": "You are offline.",
  "because-network": "The server cannot be reached.",
  "because-timeout": "The server does not answer.",
  "because-server": "The server reported an error.",
  "because-signed-out": "You are signed out.",
};

for (const [what, because, answer, env] of [
  ["no network", "You are offline.", ({ response }) => response.socket.destroy(), { isOffline: () => true }],
  ["no server", "The server cannot be reached.", ({ response }) => response.socket.destroy()],
  ["a gateway", "The server reported an error.", ({ response }) => response.writeHead(502).end("Bad gateway")],
  ["a login page", "You are signed out.", ({ response }) => response.writeHead(302, { Location: "/" }).end()],
  [
    "a reason of the server's",
    "That is gone.",
    ({ json }) => json({ code: "not-found", message: "That is gone." }, 404),
  ],
  ["a session that ended", "You are signed out.", ({ json }) => json({ code: "signed-out", message: "x" }, 401)],
]) {
  test(`what failed says why: ${what}`, async (context) => {
    const { client, requests, until, seen } = await live(context, { strings: BECAUSE, env });
    client.archive(1);
    answer(await requests.nth(1));
    await until(() => seen.failure.length);
    assert.equal(seen.failure[0].message, `Could not archive. ${because}`);
  });
}

test("what failed says why: a server that does not answer", async (context) => {
  const { client, requests, until, seen, browser } = await live(context, { strings: BECAUSE });
  client.archive(1);
  await requests.nth(1);
  await browser.clock.pass(30_000);
  await until(() => seen.failure.length);
  assert.equal(seen.failure[0].message, "Could not archive. The server does not answer.");
});

for (const [what, ahead] of [
  ["three hours ahead", 3 * 3_600_000],
  ["three hours behind", -3 * 3_600_000],
]) {
  test(`with a clock ${what}, an item expires when the server says: in the list and in the counts`, async (context) => {
    const server = await wire(context);
    const browser = new Browser(context);
    const inbox = new Inbox();
    const tab = browser.tab({ urls: { ...server.urls, socket: null }, cursor: inbox.cursor() });
    const { client, until } = tab;
    client.start();
    const time = browser.clock.time - ahead;
    const stream = await server.peers.nth(1);
    stream.send({ ...hello(inbox), time: new Date(time).toISOString() });
    await tab.state("live");
    const feed = client.feed();
    const loaded = feed.load();
    (await server.requests.nth(1)).json(inbox.page());
    await loaded;
    const from = inbox.cursor();
    inbox.create({ expires_at: new Date(time + 5_000).toISOString() });
    inbox.create();
    stream.send(...inbox.since(from));
    await until(() => client.counts.unseen === 2);
    assert.equal(feed.items.length, 2);
    await browser.clock.pass(5_000);
    await until(() => client.counts.unseen === 1);
    assert.deepEqual(client.counts, { unread: 1, unseen: 1 });
    assert.deepEqual(
      feed.items.map(({ id }) => id),
      [2],
    );
    assert.equal(Math.abs(client.now() - (time + 5_000)) < 1_000, true);
  });
}

test("what was counted before the page had it is counted anew when it expires, by the server", async (context) => {
  const server = await wire(context);
  const browser = new Browser(context);
  const inbox = new Inbox();
  inbox.create();
  const config = {
    cursor: inbox.cursor(),
    ...inbox.counts,
    until: new Date(browser.clock.time + 60_000).toISOString(),
  };
  const { client, until, state } = browser.tab({
    urls: { ...server.urls, socket: null, counts: `${server.url}/counts/` },
    ...config,
  });
  client.start();
  const stream = await server.peers.nth(1);
  stream.send({ ...hello(inbox), time: new Date(browser.clock.time).toISOString() });
  await state("live");
  await browser.clock.pass(59_000);
  stream.send(inbox.heartbeat());
  assert.equal(server.requests.length, 0);
  await browser.clock.pass(16_000);
  (await server.requests.nth(1)).json({ unread: 0, unseen: 0, cursor: inbox.cursor(), until: null });
  await until(() => client.counts.unseen === 0);
});

test("where the account has changed, a new connection lets Django decide, and nothing is lost or said", async (context) => {
  const { client, browser, peers, inbox, stream, publish, state, until, told } = await live(context);
  publish((inbox) => inbox.create());
  await until(() => client.counts.unread === 1);
  stream.send({ type: "bye", reason: "reauthenticate", retry: 1_000 });
  await state("reconnecting");
  assert.equal(client.state.reason, "reauthenticate");
  await browser.clock.pass(900);
  assert.equal(peers.length, 1, "the answer that brings the new cookie has the time to come");
  await browser.clock.pass(2_000);
  const again = await peers.nth(2);
  assert.equal(again.since, inbox.cursor());
  again.send(hello(inbox, again.since));
  await state("live");
  assert.equal(client.counts.unread, 1);
  assert.ok(!told().includes("signed-out"));
});
