/** The chat's client against a real WebSocket server. */

import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";

import { createChat } from "../../notifications/static/notifications/src/chat/client.js";
import { handlesOf } from "../../notifications/static/notifications/src/elements/chat/linkify.js";
import { ChatServer, serve } from "./support/chat_server.js";
import { WebSocket } from "./support/socket.js";
import { MemoryStorage } from "./support/storage.js";

const [ALICE, BOB] = [1, 2];
const ROOM = 7;
let server, net, chats;

beforeEach(async () => {
  server = new ChatServer()
    .addUser(ALICE, "Alice")
    .addUser(BOB, "Bob")
    .addRoom(ROOM, { name: "Ringers", members: [ALICE, BOB] });
  net = await serve(server);
  chats = [];
});

afterEach(async () => {
  for (const chat of chats) chat.destroy();
  await net.close();
});

function join(user, storage = new MemoryStorage()) {
  const { socket, rooms } = net.urls(user);
  const env = {
    WebSocket,
    storage,
    random: () => 0,
    frame: setImmediate,
    fetch: (url) => fetch(url.replace("&?", "&")),
  };
  const chat = createChat({ user: `u${user}`, urls: { socket, rooms }, csrf: {}, strings: STRINGS, env });
  chats.push(chat);
  chat.hold();
  return chat;
}

const STRINGS = {
  couldNotEdit: "Could not save the change.",
  couldNotReact: "Could not save the reaction.",
};

/** Wait for the change after which `ready` is true. */
function until(chat, ready) {
  return new Promise((resolve) => {
    const off = chat.on("change", check);
    function check() {
      if (!ready()) return;
      off();
      resolve();
    }
    check();
  });
}

const bodies = (room) => room.messages.map(({ body }) => body);

test("what one sends, the other sees, and both know it by the same number", async () => {
  const [alice, bob] = [join(ALICE), join(BOB)].map((chat) => chat.room(ROOM));
  alice.hold();
  bob.hold();
  await until(chats[1], () => bob.loaded);
  alice.send("Hello");
  await until(chats[1], () => bob.messages.length === 1);
  await until(chats[0], () => alice.messages.length === 1 && !alice.waiting.length);
  assert.deepEqual(bodies(bob), ["Hello"]);
  assert.equal(alice.messages[0].number, bob.messages[0].number);
});

test("a connection that is cut continues where it was, and nothing comes twice", async () => {
  const [alice, bob] = [join(ALICE), join(BOB)].map((chat) => chat.room(ROOM));
  alice.hold();
  bob.hold();
  await until(chats[1], () => bob.loaded);
  const heard = [];
  chats[1].on("message", ({ messages }) => heard.push(...messages.map(({ body }) => body)));
  alice.send("before");
  await until(chats[1], () => bob.messages.length === 1);
  net.cut();
  server.post(server.rooms.get(ROOM), ALICE, "meanwhile");
  alice.send("after");
  await until(chats[1], () => bob.messages.length === 3);
  assert.deepEqual(bodies(bob), ["before", "meanwhile", "after"]);
  assert.deepEqual(heard, ["before", "meanwhile", "after"]);
});

test("what the server refuses for good waits for a decision, and holds up nothing", async () => {
  const alice = join(ALICE).room(ROOM);
  alice.hold();
  server.before = ({ type, body }) => {
    if (type === "message.send" && body === "bad") throw ChatServer.refuse("invalid", null);
  };
  for (const body of ["bad", "good"]) alice.send(body);
  await until(chats[0], () => alice.messages.length === 1 && alice.waiting[0]?.state === "failed");
  assert.deepEqual(
    alice.waiting.map(({ body, error }) => [body, error]),
    [["bad", "Refused: invalid."]],
  );
  server.before = () => {};
  alice.retryAll();
  await until(chats[0], () => alice.messages.length === 2);
  assert.deepEqual(bodies(alice), ["good", "bad"]);
});

test("what the server is too busy for is sent again, in order", async () => {
  const alice = join(ALICE).room(ROOM);
  alice.hold();
  let refusals = 2;
  server.before = ({ type }) => {
    if (type === "message.send" && refusals-- > 0) throw ChatServer.refuse("busy", 1);
  };
  for (const body of ["one", "two", "three"]) alice.send(body);
  await until(chats[0], () => alice.messages.length === 3);
  assert.deepEqual(bodies(alice), ["one", "two", "three"]);
});

test("an edit and a reaction show at once, and are taken back with a sentence if they are refused", async () => {
  const alice = join(ALICE).room(ROOM);
  alice.hold();
  alice.send("original");
  await until(chats[0], () => alice.messages[0]?.version > 0);
  server.before = ({ type }) => {
    if (type === "message.edit" || type === "reaction.toggle") throw ChatServer.refuse("forbidden", null);
  };
  const failures = [];
  chats[0].on("failure", ({ message }) => failures.push(message));
  const [edited, reacted] = [alice.edit(alice.messages[0], "changed"), alice.react(alice.messages[0], "🔔")];
  assert.deepEqual(
    [alice.messages[0].body, alice.messages[0].reactions.length, alice.messages[0].pending],
    ["changed", 1, true],
  );
  assert.deepEqual([await edited, await reacted], [false, false]);
  assert.deepEqual([alice.messages[0].body, alice.messages[0].reactions.length], ["original", 0]);
  assert.deepEqual(failures, [
    "Could not save the change. Refused: forbidden.",
    "Could not save the reaction. Refused: forbidden.",
  ]);
});

test("the list is live: the last message, what is unread, and the most recent first", async () => {
  server.addRoom(8, { name: "Quiet", members: [ALICE, BOB] });
  const [alice, bob] = [join(ALICE), join(BOB)];
  alice.list.hold();
  await until(alice, () => alice.list.loaded);
  const room = bob.room(8);
  room.hold();
  room.send("Anybody?");
  await until(alice, () => alice.list.unread === 1);
  assert.deepEqual(
    alice.list.rooms.map(({ id, unread, last }) => [id, unread, last?.body]),
    [
      [8, 1, "Anybody?"],
      [7, 0, undefined],
    ],
  );
  alice.room(8).hold();
  await until(alice, () => alice.room(8).loaded);
  alice.room(8).markRead();
  await until(alice, () => alice.list.unread === 0);
  await until(bob, () => room.readers(room.messages[0]).length === 1);
  assert.deepEqual(room.readers(room.messages[0]), ["Alice"]);
});

test("what waits is never sent as somebody else, who signed in meanwhile", async () => {
  const storage = new MemoryStorage();
  const alice = join(ALICE, storage);
  alice.room(ROOM).hold();
  await until(alice, () => alice.room(ROOM).loaded);
  alice.config.urls.socket = net.urls(BOB).socket; // the cookie is Bob's now
  net.cut();
  alice.room(ROOM).send("From Alice");
  await until(alice, () => alice.state.name === "signed-out");
  assert.deepEqual(server.rooms.get(ROOM).messages, []);
  assert.deepEqual(Object.keys(storage), [], "and nobody else can read it");
});

test("a room is busy until its first page is here, and not where nobody will bring one", async () => {
  const room = server.rooms.get(ROOM);
  for (let number = 1; number <= 30; number++) server.post(room, BOB, `${number}`);
  const alice = join(ALICE);
  alice.list.hold();
  await until(alice, () => alice.list.loaded);
  const [open, other] = [alice.room(ROOM), alice.room(99)];
  assert.deepEqual([open.messages.length, open.busy], [1, true]); // the list's last message
  open.hold();
  other.hold();
  await until(alice, () => !open.busy && !other.busy);
  assert.deepEqual([open.messages.length, other.gone], [30, true]);
  net.cut();
  await until(alice, () => !alice.live);
  assert.deepEqual([open.busy, alice.room(100).busy], [false, false]);
});

test("typing and presence come and go", async () => {
  const [alice, bob] = [join(ALICE), join(BOB)].map((chat) => chat.room(ROOM));
  alice.hold();
  bob.hold();
  await until(chats[0], () => alice.online?.length === 2);
  await until(chats[1], () => bob.loaded);
  bob.type(true);
  await until(chats[0], () => alice.typing.length === 1);
  assert.deepEqual(alice.typing, ["Bob"]);
  bob.type(false);
  await until(chats[0], () => !alice.typing.length);
  chats[1].destroy();
  await until(chats[0], () => alice.online?.length === 1);
});

test("a room that is not the user's is gone, and older pages come one after the other", async () => {
  const room = server.addRoom(9, { members: [BOB] }).rooms.get(ROOM);
  for (let number = 1; number <= 130; number++) server.post(room, BOB, `${number}`);
  const alice = join(ALICE);
  alice.room(9).hold();
  alice.room(ROOM).hold();
  await until(alice, () => alice.room(9).gone && alice.room(ROOM).loaded);
  assert.equal(alice.room(ROOM).messages.length, 50);
  assert.equal(await alice.room(ROOM).reach(3), true);
  assert.equal(alice.room(ROOM).messages.length, 130);
  assert.ok(!alice.room(ROOM).hasOlder);
});

test("a checkpoint is repeated, so that the server knows that its bytes are read", async () => {
  const alice = join(ALICE);
  alice.room(ROOM).hold();
  await until(alice, () => alice.room(ROOM).loaded);
  const [connection] = server.connections;
  connection.say({ type: "checkpoint", token: "5f0c2a91" });
  alice.room(ROOM).send("after it");
  await until(alice, () => alice.room(ROOM).messages.length === 1);
  assert.deepEqual(server.checkpoints, [[ALICE, "5f0c2a91"]]);
});

test("a page of older messages that is overtaken by a change is asked for again", async () => {
  const room = server.rooms.get(ROOM);
  for (let number = 1; number <= 80; number++) server.post(room, ALICE, `m${number}`);
  const bob = join(BOB);
  bob.room(ROOM).hold();
  await until(bob, () => bob.room(ROOM).loaded);
  const read = server["do history"];
  let asked = 0;
  server["do history"] = function (connection, command, of) {
    const page = read.call(this, connection, command, of);
    if (!asked++) server.change(room, 3, { body: "edited while the page was on its way" });
    return page;
  };
  await bob.room(ROOM).loadOlder();
  assert.equal(asked, 2);
  assert.equal(bob.room(ROOM).messages[2].body, "edited while the page was on its way");
});

test("members are mentioned by the handles that the server gives them", async () => {
  server.addUser(3, "Cleo").addRoom(8, { members: [ALICE, BOB, 3] });
  const alice = join(ALICE);
  const room = alice.room(8);
  room.hold();
  await until(alice, () => room.loaded);
  const { members } = room.info;
  assert.deepEqual(
    members.map(({ name, handle }) => [name, handle]),
    [
      ["Alice", "alice"],
      ["Bob", "bob"],
      ["Cleo", null],
    ],
  );
  assert.deepEqual(
    [...handlesOf(members, alice.me.id)],
    [
      ["alice", true],
      ["bob", false],
    ],
  );
});

test("a chat whose account has changed connects again, and Django decides: nothing is lost", async () => {
  const alice = join(ALICE);
  const room = alice.room(ROOM);
  room.hold();
  await until(alice, () => room.loaded);
  const told = [];
  alice.on("state", ({ to, reason }) => told.push([to, reason]));
  const [connection] = server.connections;
  connection.say({ type: "bye", reason: "reauthenticate", retry: 1 });
  room.send("after it");
  await until(alice, () => alice.live && room.messages.length === 1);
  assert.deepEqual(told[0], ["reconnecting", "reauthenticate"]);
  assert.deepEqual(bodies(room), ["after it"]);
});
