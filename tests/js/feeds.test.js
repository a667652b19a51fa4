/** Following feeds: one connection for all tabs, nothing lost and nothing repeated, whatever happens to it. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { addExtras } from "../../notifications/static/notifications/src/inbox/extras.js";
import { Standalone } from "../../notifications/static/notifications/src/feeds/standalone.js";
import { Browser } from "./support/browser.js";
import { settle } from "./support/clock.js";
import { feedServer, follower } from "./support/feeds.js";
import { MemoryStorage } from "./support/storage.js";
import { wire } from "./support/wire.js";

addExtras(); // the socket

const PASSES = 5_000; // ms of the clock that a test waits for anything at the most

/** A browser with tabs of one user over a server with feeds. */
async function open(context, count = 1, { socket = null, stream = true, ...options } = {}) {
  const server = await feedServer(context, options);
  const browser = new Browser(context);
  const urls = { ...server.urls, socket: socket && server.urls.socket, stream: stream && server.urls.stream };
  const tab = (more = {}) => {
    const made = browser.tab({ urls, ...more });
    return Object.assign(made, follower(made, urls));
  };
  const tabs = Array.from({ length: count }, () => tab());
  const ask = (path) => server.requests.filter((request) => request.path === path);
  /** Let this much time pass, and what it has set off. */
  const pass = async (time) => {
    await browser.clock.pass(time);
    for (let turn = 0; turn < 20; turn++) await settle();
    await browser.clock.pass(0);
  };
  /** Let time and the network go on until this is so. */
  const until = async (ready) => {
    for (let turn = 0; !ready(); turn++) {
      assert.ok(turn < PASSES, `never: ${ready}`);
      await browser.clock.pass(1);
    }
  };
  const live = (...followed) => until(() => followed.every(({ handle }) => handle.state.name === "live"));
  return { ...server, browser, urls, tab, tabs, ask, pass, until, live };
}

const numbers = (count, first = 1) => Array.from({ length: count }, (_, index) => first + index);

test("what is followed from the beginning is in the connection's address: what is present, then each event", async (context) => {
  const { model, publish, peers, tabs, requests, live, until } = await open(context);
  model.publish("log:a", { n: 1 });
  const one = tabs[0].follow("log:a");
  await live(one);
  publish("log:a", { n: 2 });
  await until(() => one.told().length === 2);
  assert.deepEqual(one.told(), [1, 2]);
  assert.deepEqual(one.seen.resets.length, 1);
  assert.deepEqual(peers[0].query, { feeds: "log:a", ids: "each" });
  assert.equal(peers.length, 1);
  assert.equal(requests.length, 0);
});

test("what is followed later is asked for by the connection's name, and let go a while after the last tab has", async (context) => {
  const { publish, tabs, ask, peers, pass, live, until } = await open(context);
  await live(tabs[0].follow("log:a"));
  const late = tabs[0].follow("log:b");
  await live(late);
  const [request] = ask("/api/feeds/");
  assert.equal(request.headers["x-csrftoken"], "from-the-page");
  assert.deepEqual(request.body, { connection: "c1", follow: { "log:b": "" }, unfollow: [] });
  publish("log:b", { n: 1 });
  await until(() => late.told().length === 1);
  late.handle.close();
  await pass(14_000);
  assert.equal(ask("/api/feeds/").length, 1);
  await until(() => ask("/api/feeds/").length === 2);
  assert.deepEqual(ask("/api/feeds/")[1].body, { connection: "c1", follow: {}, unfollow: ["log:b"] });
  assert.equal(peers.length, 1);
});

test("what is let go and wanted again soon was never away", async (context) => {
  const { tabs, ask, pass, live, publish, until } = await open(context);
  const first = tabs[0].follow("log:a");
  await live(first);
  publish("log:a", { n: 1 });
  await until(() => first.told().length);
  first.handle.close();
  await pass(4_000);
  const again = tabs[0].follow("log:a");
  await live(again);
  assert.deepEqual(again.told(), [1]);
  await pass(30_000);
  assert.equal(ask("/api/feeds/").length, 0);
});

test("where nothing confirms it within two seconds, a new connection has it in its address", async (context) => {
  const { model, tabs, ask, peers, publish, pass, live, until } = await open(context, 1, { reaches: () => false });
  const first = tabs[0].follow("log:a");
  await live(first);
  publish("log:a", { n: 1 });
  await until(() => first.told().length);
  const late = tabs[0].follow("log:b");
  await until(() => ask("/api/feeds/").length === 1);
  await pass(1_900);
  assert.equal(peers.length, 1);
  await until(() => peers.length === 2);
  assert.equal(peers[1].query.feeds, "log:a,log:b");
  assert.equal(peers[1].since, `inbox=00000001.0,${model.cursor("log:a")}`);
  await live(late, first);
  publish("log:a", { n: 2 });
  await until(() => first.told().length === 2);
  assert.deepEqual(first.told(), [1, 2]);
});

test("more names than an address holds are asked for once the connection is open", async (context) => {
  const { tabs, peers, ask, live } = await open(context);
  const names = numbers(20).map((number) => `log:${"x".repeat(150)}${number}`);
  await live(...names.map((name) => tabs[0].follow(name)));
  const inAddress = peers[0].query.feeds.split(",");
  assert.ok(peers[0].query.feeds.length <= 1_500);
  assert.deepEqual([...inAddress, ...ask("/api/feeds/").flatMap(({ body }) => Object.keys(body.follow))], names);
  assert.equal(peers.length, 1);
});

test("ten tabs that follow different feeds share one connection, and each gets its own", async (context) => {
  const { tabs, peers, publish, live, until } = await open(context, 10);
  const followed = tabs.map(({ follow }, index) => follow(`log:${index}`));
  await live(...followed);
  for (const index of followed.keys()) publish(`log:${index}`, { n: index });
  await until(() => followed.every(({ told }) => told().length));
  assert.deepEqual(
    followed.map(({ told }) => told()),
    [...followed.keys()].map((index) => [index]),
  );
  assert.equal(peers.length, 1);
});

test("a tab that comes later to what is followed asks for what is present, and the others are not told anew", async (context) => {
  const { tabs, tab, publish, peers, ask, live, until } = await open(context);
  const first = tabs[0].follow("log:a");
  await live(first);
  for (const n of numbers(3)) publish("log:a", { n });
  await until(() => first.told().length === 3);
  const second = tab().follow("log:a");
  await until(() => second.told().length === 3);
  await live(second);
  publish("log:a", { n: 4 });
  await until(() => second.told().length === 4 && first.told().length === 4);
  assert.deepEqual(second.told(), numbers(4));
  assert.deepEqual(first.told(), numbers(4));
  assert.equal(first.seen.resets.length, 1);
  assert.equal(ask("/changes/").length, 1);
  assert.equal(peers.length, 1);
});

test("the leading tab, too, may come later to what another one follows", async (context) => {
  const { tabs, publish, ask, live, until } = await open(context, 2);
  await live(tabs[0].follow("log:a"));
  const other = tabs[1].follow("log:b");
  await live(other);
  publish("log:b", { n: 1 });
  await until(() => other.told().length === 1);
  const late = tabs[0].follow("log:b");
  await live(late);
  await until(() => late.told().length === 1);
  assert.equal(ask("/changes/").length, 1);
});

test("what is wanted again before the connection has let it go is caught up with", async (context) => {
  const { model, tabs, publish, pass, live, until } = await open(context);
  const first = tabs[0].follow("log:a");
  await live(first);
  publish("log:a", { n: 1 });
  await until(() => first.told().length);
  first.handle.close();
  await pass(7_000);
  const since = model.cursor("log:a");
  publish("log:a", { n: 2 });
  const again = tabs[0].follow("log:a", { since });
  await live(again);
  await until(() => again.told().length === 1);
  assert.deepEqual(again.told(), [2]);
  assert.equal(again.seen.moves.at(-1), model.cursor("log:a"));
});

test("a page goes on from the cursor of what it shows", async (context) => {
  const { model, tabs, peers, until, publish } = await open(context);
  for (const n of numbers(3)) model.publish("log:a", { n });
  const one = tabs[0].follow("log:a", { since: model.cursor("log:a", 2) });
  await until(() => one.told().length);
  publish("log:a", { n: 4 });
  await until(() => one.told().length === 2);
  assert.deepEqual(one.told(), [3, 4]);
  assert.equal(one.seen.resets.length, 0);
  assert.equal(peers[0].since, `inbox=00000001.0,${model.cursor("log:a", 2)}`);
});

test("whoever wants the beginning beside it gets it", async (context) => {
  const { model, tabs, until, live } = await open(context);
  for (const n of numbers(3)) model.publish("log:a", { n });
  const middle = tabs[0].follow("log:a", { since: model.cursor("log:a", 2) });
  await live(middle);
  const whole = tabs[0].follow("log:a");
  await until(() => whole.told().length === 3);
  assert.deepEqual(whole.told(), [1, 2, 3]);
  assert.equal(middle.seen.moves.at(-1), model.cursor("log:a"));
});

test("a part that comes back with an old cursor learns at once that its feed has moved", async (context) => {
  const { model, tabs, publish, until, live } = await open(context);
  model.publish("log:a", { n: 1 });
  const since = model.cursor("log:a");
  const first = tabs[0].follow("log:a", { since });
  await live(first);
  publish("log:a", { n: 2 });
  await until(() => first.seen.moves.length);
  const restored = tabs[0].follow("log:a", { since });
  assert.deepEqual(restored.seen.moves, [model.cursor("log:a")]);
  first.handle.close();
  restored.handle.close();
});

test("whoever closes at once is told nothing", async (context) => {
  const { tabs, publish, until, live } = await open(context);
  const first = tabs[0].follow("log:a");
  await live(first);
  publish("log:a", { n: 1 });
  await until(() => first.told().length);
  const brief = tabs[0].follow("log:a");
  brief.handle.close();
  await live(first);
  assert.deepEqual([brief.seen.resets, brief.seen.states], [[], []]);
});

test("when the leading tab goes, another goes on from where it was", async (context) => {
  const { tabs, publish, peers, live, until } = await open(context, 3);
  const followed = tabs.map(({ follow }) => follow("log:a"));
  const other = tabs[2].follow("log:b");
  await live(...followed, other);
  publish("log:a", { n: 1 });
  publish("log:b", { n: 10 });
  await until(() => followed.every(({ told }) => told().length === 1) && other.told().length === 1);
  tabs[0].client.destroy();
  publish("log:a", { n: 2 });
  await until(() => peers.length === 2);
  await live(followed[1], followed[2], other);
  publish("log:a", { n: 3 });
  publish("log:b", { n: 11 });
  await until(() => followed[1].told().length === 3 && followed[2].told().length === 3 && other.told().length === 2);
  for (const { told, seen } of followed.slice(1)) {
    assert.deepEqual(told(), [1, 2, 3]);
    assert.equal(seen.resets.length, 1);
  }
  assert.deepEqual(other.told(), [10, 11]);
  assert.equal(peers.length, 2);
});

test("a cut connection goes on from the cursor: stale meanwhile, nothing lost and nothing twice", async (context) => {
  const { tabs, publish, model, peers, live, until } = await open(context);
  const { handle, told, seen } = tabs[0].follow("log:a");
  await live({ handle });
  publish("log:a", { n: 1 });
  await until(() => told().length === 1);
  peers[0].cut();
  await until(() => handle.state.name === "stale");
  model.publish("log:a", { n: 2 });
  await until(() => told().length === 2);
  await live({ handle });
  publish("log:a", { n: 3 });
  await until(() => told().length === 3);
  assert.deepEqual(told(), [1, 2, 3]);
  assert.equal(peers[1].since, `inbox=00000001.0,${model.cursor("log:a", 1)}`);
  assert.deepEqual(
    seen.states.map(({ name }) => name),
    ["connecting", "live", "stale", "live"],
  );
});

for (const [how, lose] of [
  ["a frame that begins later", ({ model, made }) => model.frame("log:a", 2, 3, [made])],
  ["a heartbeat", ({ model }) => ({ type: "heartbeat", head: `inbox=00000001.0,${model.cursor("log:a")}` })],
]) {
  test(`${how} tells of a hole, which is filled from the cursor`, async (context) => {
    const { tabs, publish, model, send, open: connections, ask, live, until } = await open(context);
    const one = tabs[0].follow("log:a");
    await live(one);
    publish("log:a", { n: 1 });
    await until(() => one.told().length === 1);
    model.publish("log:a", { n: 2 });
    const made = model.publish("log:a", { n: 3 });
    send([...connections][0], lose({ model, made }));
    await until(() => one.told().length === 3);
    assert.deepEqual(one.told(), [1, 2, 3]);
    assert.deepEqual(ask("/changes/")[0].query, { feeds: "log:a", inbox: "0", since: model.cursor("log:a", 1) });
  });
}

test("who follows before anything is published is told once that there is nothing, and then all of it", async (context) => {
  const { tabs, tab, publish, model, peers, pass, live, until } = await open(context);
  const one = tabs[0].follow("log:a");
  await live(one);
  await until(() => one.seen.resets.length);
  assert.deepEqual(one.seen.resets, [{ events: [], reason: "start" }]);
  const other = tab().follow("log:a");
  await until(() => other.seen.resets.length);
  peers[0].cut();
  for (const n of numbers(200)) model.publish("log:a", { n });
  await until(() => one.told().length === 200 && other.told().length === 200);
  publish("log:a", { n: 201 });
  await until(() => one.told().length === 201 && other.told().length === 201);
  await pass(100);
  for (const { told, seen } of [one, other]) {
    assert.deepEqual(told(), numbers(201));
    assert.equal(seen.resets.length, 1);
  }
});

test("a feed whose database was restored starts afresh", async (context) => {
  const { tabs, publish, model, flush, live, until } = await open(context);
  const one = tabs[0].follow("log:a");
  await live(one);
  for (const n of numbers(3)) publish("log:a", { n });
  await until(() => one.told().length === 3);
  model.renew("log:a");
  flush();
  await until(() => one.seen.resets.at(-1).reason === "epoch");
  publish("log:a", { n: 4 });
  await until(() => one.seen.events.length === 4);
  assert.deepEqual(
    one.handle.events.map(({ data }) => data.n),
    [1, 2, 3, 4],
  );
});

test("a reset that is cut off between its parts is asked for again", async (context) => {
  const { tabs, model, send, open: connections, peers, live, until } = await open(context);
  const one = tabs[0].follow("log:a");
  await live(one);
  for (const n of numbers(4)) model.publish("log:a", { n });
  const whole = model.reset("log:a");
  send([...connections][0], { ...whole, events: whole.events.slice(0, 2), more: true });
  await until(() => peers.length === 1);
  peers[0].cut();
  await until(() => one.told().length === 4);
  assert.equal(peers[1].since, `inbox=00000001.0,${model.unpublished("log:a")}`);
  assert.equal(one.seen.resets.length, 1);
});

test("a reset that comes in parts is told as one", async (context) => {
  const { tabs, model, send, open: connections, live, until } = await open(context);
  const one = tabs[0].follow("log:a");
  await live(one);
  for (const n of numbers(4)) model.publish("log:a", { n });
  const whole = model.reset("log:a");
  const rest = model.frame("log:a", 4, 4, whole.events.slice(2));
  send([...connections][0], { ...whole, events: whole.events.slice(0, 2), more: true }, rest);
  await until(() => one.seen.resets.length === 2);
  assert.deepEqual(one.told(), [1, 2, 3, 4]);
});

test("of a feed with keys the latest of each is present, also to who comes later", async (context) => {
  const { tabs, model, publish, live, until } = await open(context);
  model.declare("prices", { keyed: true });
  for (const n of numbers(5)) model.publish("prices", { n }, { key: `k${n % 2}` });
  const one = tabs[0].follow("prices");
  await live(one);
  publish("prices", { n: 6 }, { key: "k0" });
  await until(() => one.seen.events.length === 1);
  const late = tabs[0].follow("prices");
  await until(() => late.seen.resets.length);
  assert.deepEqual(late.told(), [5, 6]);
});

test("a feed that keeps nothing tells what comes, and has no beginning", async (context) => {
  const { tabs, model, send, open: connections, live, until } = await open(context);
  model.declare("live", {});
  const one = tabs[0].follow("live");
  await live(one);
  const event = { id: 0, version: 0, event: "message", key: "", data: { n: 1 }, at: "" };
  const frame = { type: "feed", feed: "live", from: null, to: null, events: [event], more: false };
  send([...connections][0], frame, frame);
  await until(() => one.seen.events.length === 2);
  assert.deepEqual(one.handle.events, []);
});

test("a text grows by its pieces, in characters as the server counts them", async (context) => {
  const { tabs, model, publish, send, open: connections, live, until } = await open(context);
  const one = tabs[0].follow("answers");
  await live(one);
  const { id } = publish("answers", { text: "", state: "writing" }, { event: "text" });
  const [connection] = connections;
  send(connection, model.grow("answers", id, "Ding 🔔"));
  send(connection, model.grow("answers", id, " dong"));
  send(connection, model.grow("answers", id, "", "done"));
  await until(() => one.handle.events[0]?.data.state === "done");
  assert.equal(one.handle.events[0].data.text, "Ding 🔔 dong");
  assert.deepEqual(
    one.seen.events.map(({ append, data }) => [append, data.text, data.state]),
    [
      [undefined, "", "writing"],
      ["Ding 🔔", "Ding 🔔", "writing"],
      [" dong", "Ding 🔔 dong", "writing"],
      ["", "Ding 🔔 dong", "done"],
    ],
  );
});

test("a piece whose beginning is not here is a hole; one that is here already is not added twice", async (context) => {
  const { tabs, model, send, open: connections, live, until, ask } = await open(context);
  const made = model.publish("answers", { text: "One ", state: "writing" }, { event: "text" });
  model.grow("answers", made.id, "two ");
  const one = tabs[0].follow("answers", { since: model.cursor("answers", 2) });
  await live(one);
  const piece = model.grow("answers", made.id, "three");
  send([...connections][0], piece);
  await until(() => one.handle.events[0]?.data.text === "One two three");
  assert.equal(ask("/changes/").length, 1);
  send([...connections][0], piece);
  const last = model.grow("answers", made.id, "!", "done");
  send([...connections][0], last);
  await until(() => one.handle.events[0].data.state === "done");
  assert.equal(one.handle.events[0].data.text, "One two three!");
});

test("what one may not follow is gone, with the reason, in every tab; and its reader ends", async (context) => {
  const { tabs, model, until, live, open: connections, send, status } = await open(context, 2);
  model.declare("secret", { denied: true });
  const refused = tabs.map(({ follow }) => follow("secret"));
  await until(() => refused.every(({ handle }) => handle.state.name === "gone"));
  assert.equal(refused[1].handle.state.reason, "denied");
  for await (const event of refused[0].handle) assert.fail(event);
  const allowed = tabs[1].follow("log:a");
  await live(allowed);
  send([...connections][0], status("log:a", "denied"));
  await until(() => allowed.handle.state.name === "gone");
});

test("a loop over a feed reads what is present and what comes, in order, until it is left", async (context) => {
  const { tabs, model, publish, until, browser } = await open(context);
  for (const n of numbers(2)) model.publish("log:a", { n });
  const read = [];
  const { handle } = tabs[0].follow("log:a");
  const reading = (async () => {
    for await (const { data } of handle) {
      read.push(data.n);
      if (data.n === 4) break;
    }
  })();
  await until(() => read.length === 2);
  for (const n of [3, 4, 5]) publish("log:a", { n });
  await until(() => read.length === 4);
  await reading;
  await browser.clock.pass(0);
  assert.deepEqual(read, [1, 2, 3, 4]);
});

test("a reader that falls far behind goes on with what is present", async (context) => {
  const { tabs, model, publish, until, live } = await open(context);
  model.declare("prices", { keyed: true });
  const { handle, seen } = tabs[0].follow("prices");
  await live({ handle });
  const reader = handle[Symbol.asyncIterator]();
  const first = reader.next();
  publish("prices", { n: 0 }, { key: "k0" });
  await until(() => seen.resets.length);
  assert.equal((await first).value.data.n, 0);
  for (const n of numbers(1_500)) model.publish("prices", { n }, { key: `k${n % 3}` });
  for (const n of numbers(1_500)) publish("prices", { n: 1_500 + n }, { key: `k${n % 3}` });
  await until(() => seen.events.at(-1)?.data.n === 3_000);
  let read = 0;
  for await (const { data } of handle) {
    read++;
    if (data.n === 3_000) break;
  }
  assert.ok(read < 1_000, `${read} events`);
});

test("closing the handle ends its loop, and a handler that throws harms no other", async (context) => {
  const { tabs, publish, until, live } = await open(context);
  const reported = [];
  context.mock.method(console, "error", (/** @type {Error} */ error) => reported.push(error.message));
  tabs[0].follow("log:a", {
    onReset() {
      throw new Error("mine");
    },
  });
  const one = tabs[0].follow("log:a");
  await live(one);
  const reading = (async () => {
    for await (const { data } of one.handle) assert.equal(data.n, 1);
  })();
  publish("log:a", { n: 1 });
  await until(() => one.seen.resets.length);
  one.handle.close();
  await reading;
  assert.deepEqual(reported, ["mine"]);
});

test("a tab that crashed is forgotten once it answers no question", async (context) => {
  const { tabs, browser, ask, live, until, pass, send, open: connections } = await open(context, 2);
  await live(tabs[0].follow("log:a"), tabs[1].follow("log:b"));
  const unfollowed = () => ask("/api/feeds/").flatMap(({ body }) => body.unfollow);
  const [connection] = connections;
  const minutes = async (count) => {
    for (let turn = 0; turn < 3 * count; turn++) {
      await pass(20_000);
      send(connection, { type: "heartbeat", head: "" });
    }
  };
  await minutes(5);
  assert.deepEqual(unfollowed(), [], "who answers is there");
  tabs[1].page.hide(); // else it would take the lead from one that does not answer
  [...browser.channels].at(-1).close(); // without a word
  await minutes(4);
  await until(() => unfollowed().length); // the request is on its way
  assert.deepEqual(unfollowed(), ["log:b"]);
});

test("a tab that goes away says that it wants nothing, and when it is back that it does", async (context) => {
  const { tabs, ask, live, until, publish, pass } = await open(context, 2);
  await live(tabs[0].follow("log:a"));
  const late = tabs[1].follow("log:b");
  await live(late);
  publish("log:b", { n: 1 });
  await until(() => late.told().length === 1);
  tabs[1].page.tell("pagehide");
  await pass(10_000);
  await until(() => ask("/api/feeds/").some(({ body }) => body.unfollow.includes("log:b")));
  publish("log:b", { n: 2 });
  tabs[1].page.tell("pageshow");
  await until(() => late.told().length === 2);
  await live(late);
});

test("polls carry feeds too: what is wanted anew is in the next one, and what was refused is not asked again", async (context) => {
  const { tabs, model, publish, peers, live, until } = await open(context, 1, { stream: false });
  model.declare("secret", { denied: true });
  const one = tabs[0].follow("log:a");
  const refused = tabs[0].follow("secret");
  await live(one);
  await until(() => refused.handle.state.name === "gone");
  publish("log:a", { n: 1 });
  await until(() => one.told().length === 1);
  const late = tabs[0].follow("log:b");
  await live(late);
  publish("log:b", { n: 10 });
  publish("log:a", { n: 2 });
  await until(() => late.told().length === 1 && one.told().length === 2);
  assert.deepEqual(one.told(), [1, 2]);
  const asked = peers.map(({ query }) => query.feeds);
  assert.ok(
    asked.slice(3).every((names) => !names.includes("secret")),
    asked.join(" | "),
  );
  assert.ok(peers.every(({ kind }) => kind === "poll"));
});

test("over the socket everything is asked for once it is open", async (context) => {
  const { tabs, peers, ask, publish, live, until } = await open(context, 1, { socket: true, stream: false });
  const one = tabs[0].follow("log:a");
  await live(one);
  assert.equal(peers[0].kind, "socket");
  assert.deepEqual(ask("/api/feeds/")[0].body.follow, { "log:a": "" });
  publish("log:a", { n: 1 });
  await until(() => one.told().length === 1);
});

test("a page that was made for nobody makes no request that would need its token", async (context) => {
  const { browser, urls, ask, live, peers, until, publish } = await open(context, 0);
  const made = browser.tab({ urls, user: "" });
  const { follow } = follower(made, urls, { csrf: null });
  const one = follow("log:a");
  await live(one);
  const late = follow("log:b");
  await live(late);
  assert.equal(ask("/api/feeds/").length, 0);
  assert.deepEqual(
    peers.map(({ query }) => query.feeds),
    ["log:a", "log:a,log:b"],
  );
  publish("log:b", { n: 1 });
  await until(() => late.told().length === 1);
});

for (const [what, status, body, name] of [
  ["that the user is signed out", 401, { code: "signed-out", message: "Sign in." }, "signed-out"],
  ["that another user is signed in", 401, { code: "other-user", message: "Somebody else." }, "signed-out"],
  ["a page to sign in, as in a maintenance", 302, {}, "live"],
]) {
  test(`a page without a bell whose request is answered by ${what} is ${name}`, async (context) => {
    const { urls, requests, peers } = await wire(context);
    const config = {
      v: 1,
      user: "alice",
      urls,
      csrf: { header: "X-CSRFToken", cookie: null, token: "t" },
      version: "1",
    };
    const client = new Standalone({ ...config, env: { storage: new MemoryStorage() } });
    context.after(() => client.destroy());
    client.hold();
    const live = new Promise((resolve) => client.on("state", (state) => state.name === "live" && resolve()));
    (await peers.nth(1)).send({ type: "hello", v: 1, cursor: null, heartbeat: 25 });
    await live;
    const asked = client.ask(`${urls.inbox}`, {});
    (await requests.nth(1)).json(body, status);
    await assert.rejects(asked);
    assert.equal(client.state.name, name);
  });
}
