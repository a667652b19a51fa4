/** One contract for every transport, over real sockets. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { environment } from "../../notifications/static/notifications/src/core/env.js";
import { poll } from "../../notifications/static/notifications/src/core/transports/poll.js";
import { stream } from "../../notifications/static/notifications/src/core/transports/stream.js";
import { socket } from "../../notifications/static/notifications/src/inbox/socket.js";
import { Clock } from "./support/clock.js";
import { item } from "./support/server.js";
import { WebSocket } from "./support/socket.js";
import { Calls, wire } from "./support/wire.js";

const HELLO = {
  type: "hello",
  v: 1,
  connection: "c1",
  cursor: "inbox=00000001.3",
  unread: 0,
  unseen: 0,
  heartbeat: 25,
};
const CHANGES = (from, to) => ({
  type: "changes",
  from: `inbox=00000001.${from}`,
  to: `inbox=00000001.${to}`,
  items: [item(to)],
  unread: 1,
  unseen: 1,
});

async function open(context, transport, address) {
  const server = await wire(context);
  const clock = new Clock();
  const seen = { frames: new Calls(), ends: new Calls(), floors: new Calls(), bytes: 0 };
  const abort = new AbortController();
  const session = {
    signal: abort.signal,
    since: () => seen.frames.findLast(({ to }) => to)?.to ?? "inbox=00000001.3",
    bytes: () => seen.bytes++,
    frame: (frame) => seen.frames.push(frame),
    floor: (time) => seen.floors.push(time),
    end: (ending) => seen.ends.push(ending),
  };
  const env = environment({
    WebSocket,
    setTimeout: clock.setTimeout,
    clearTimeout: clock.clearTimeout,
    now: clock.now,
  });
  transport(session, server.urls[address], { user: "alice", language: "de" }, env);
  context.after(() => abort.abort());
  return { ...server, ...seen, seen, abort, clock };
}

const TRANSPORTS = { stream: [stream, "stream"], socket: [socket, "socket"], poll: [poll, "changes"] };

for (const [name, [transport, address]] of Object.entries(TRANSPORTS)) {
  const start = (context) => open(context, transport, address);

  test(`${name}: continues from the cursor for its user, in the page's language, says hello first, then the frames in order`, async (context) => {
    const { peers, frames, seen } = await start(context);
    const peer = await peers.nth(1);
    assert.equal(peer.since, "inbox=00000001.3");
    assert.deepEqual([peer.user, peer.language], ["alice", "de"]);
    peer.send(HELLO, CHANGES(3, 4), CHANGES(4, 5));
    await frames.nth(3);
    assert.deepEqual(
      frames.map(({ type, to }) => to ?? type),
      ["hello", "inbox=00000001.4", "inbox=00000001.5"],
    );
    assert.equal(frames[0].v, 1);
    assert.ok(frames[0].heartbeat > 0);
    assert.deepEqual(frames[1].items, [item(4)]);
    assert.ok(seen.bytes > 0);
  });

  test(`${name}: hands on a reset and a heartbeat as they are`, async (context) => {
    const { peers, frames } = await start(context);
    const reset = {
      type: "reset",
      reason: "epoch",
      cursor: "inbox=00000002.9",
      items: [item(1)],
      unread: 1,
      unseen: 1,
    };
    const heartbeat = { type: "heartbeat", head: "inbox=00000002.9" };
    (await peers.nth(1)).send(HELLO, reset, heartbeat);
    await frames.nth(3);
    assert.deepEqual(frames.slice(1), [reset, heartbeat]);
  });

  for (const [status, code, headers, expected] of [
    [401, "signed-out", {}, "signed-out"],
    [401, "other-user", {}, "other-user"],
    [429, "too-many", { "Retry-After": "7" }, "too-many"],
    [503, "busy", { "Retry-After": "7" }, "busy"],
  ]) {
    test(`${name}: understands the refusal ${code}`, async (context) => {
      const { peers, ends, frames } = await start(context);
      (await peers.nth(1)).refuse(status, code, headers);
      if (name === "socket") {
        const { code, retry } = await frames.nth(1);
        assert.deepEqual({ code, retry }, { code: expected, retry: headers["Retry-After"] ? 7_000 : null });
      } else {
        const retry = headers["Retry-After"] ? 7_000 : undefined;
        assert.deepEqual(await ends.nth(1), { reason: expected, message: expected, retry });
      }
    });
  }

  test(`${name}: a cut connection ends as a fault of the network, once`, async (context) => {
    const { peers, ends, clock } = await start(context);
    const peer = await peers.nth(1);
    peer.cut();
    assert.equal((await ends.nth(1)).reason, "network");
    await clock.pass(60_000);
    assert.equal(ends.length, 1);
  });

  test(`${name}: what is not JSON ends the connection, without a guess`, async (context) => {
    const { peers, ends } = await start(context);
    (await peers.nth(1)).raw(name === "stream" ? "event: changes\ndata: {oops\n\n" : "{oops");
    assert.equal((await ends.nth(1)).reason, "content-type");
  });

  test(`${name}: leaves the server at once when it is told to`, async (context) => {
    const { peers, abort } = await start(context);
    const peer = await peers.nth(1);
    const { gone } = peer;
    abort.abort();
    await gone;
  });
}

for (const name of ["stream", "poll"]) {
  for (const [what, answer, reason] of [
    ["a redirect is a login page", (response) => response.writeHead(302, { Location: "/login/" }), "login-page"],
    ["HTML is not ours", (response) => response.writeHead(200, { "Content-Type": "text/html" }), "content-type"],
    [
      "a gateway's 401 signs nobody out",
      (response) => response.writeHead(401, { "Content-Type": "text/html" }),
      "http",
    ],
    ["a firewall's 403 closes nothing", (response) => response.writeHead(403, { "Content-Type": "text/html" }), "http"],
    [
      "JSON of somebody else's is not ours",
      (response) => response.writeHead(401, { "Content-Type": "application/json" }),
      "http",
    ],
    [
      "another type is not ours",
      (response) => response.writeHead(200, { "Content-Type": "text/plain" }),
      "content-type",
    ],
    ["501 of a gateway says nothing about streams", (response) => response.writeHead(501), "http"],
    ["any other refusal is one of HTTP", (response) => response.writeHead(502), "http"],
  ]) {
    test(`${name}: ${what}`, async (context) => {
      const { peers, ends } = await open(context, ...TRANSPORTS[name]);
      const { response } = await peers.nth(1);
      answer(response);
      response.end("x");
      assert.equal((await ends.nth(1)).reason, reason);
    });
  }
}

test("stream: passes retry on, and its end is an end", async (context) => {
  const { peers, floors, ends } = await open(context, ...TRANSPORTS.stream);
  const peer = await peers.nth(1);
  peer.raw("retry: 2345\n\n");
  assert.equal(await floors.nth(1), 2345);
  peer.response.end();
  assert.deepEqual(await ends.nth(1), { reason: "ended" });
});

test("stream: an endless event is given up", async (context) => {
  const { peers, ends } = await open(context, ...TRANSPORTS.stream);
  (await peers.nth(1)).raw(`data: ${"x".repeat(300_000)}`);
  assert.equal((await ends.nth(1)).reason, "content-type");
});

test("socket: asks for the inbox with the project's subprotocol", async (context) => {
  const { peers } = await open(context, ...TRANSPORTS.socket);
  const { socket, command } = await peers.nth(1);
  assert.equal(socket.protocol, "carillon.v1");
  assert.deepEqual(command, { type: "inbox.open", ref: "inbox" });
});

test("socket: a nack is a refusal", async (context) => {
  const { peers, ends } = await open(context, ...TRANSPORTS.socket);
  (await peers.nth(1)).send({ type: "nack", ref: "inbox", code: "busy", message: "later", retry: 4_000 });
  assert.deepEqual(await ends.nth(1), { reason: "busy", retry: 4_000 });
});

test("poll: asks at once first, then holds, always from the latest cursor", async (context) => {
  const { peers, clock } = await open(context, ...TRANSPORTS.poll);
  const first = await peers.nth(1);
  assert.equal(first.wait, "0");
  first.send(CHANGES(3, 4));
  await clock.due(1);
  await clock.pass(0);
  const second = await peers.nth(2);
  assert.equal(second.wait, "25");
  assert.equal(second.since, "inbox=00000001.4");
});

test("poll: a server that does not hold polls is asked every ten seconds", async (context) => {
  const { peers, clock } = await open(context, ...TRANSPORTS.poll);
  const quiet = [{ type: "heartbeat", head: "inbox=00000001.3" }];
  (await peers.nth(1)).send(...quiet);
  await clock.due(1);
  await clock.pass(0);
  (await peers.nth(2)).send(...quiet);
  await clock.due(1);
  await clock.pass(9_999);
  assert.equal(peers.length, 2);
  await clock.pass(1);
  await peers.nth(3);
});
