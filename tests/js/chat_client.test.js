/** The chat's client against a real WebSocket server. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { afterEach, beforeEach, test } from "node:test";
import { WebSocket } from "ws";
import { createChat } from "../../notifications/static/notifications/src/chat/client.js";
import { ChatServer, serve } from "./support/chat_server.js";
import { MemoryStorage } from "./support/storage.js";

const [ALICE, BOB] = [1, 2];
const ROOM = 7;
let server, net, chats;

beforeEach(async () => {
  server = new ChatServer().addUser(ALICE, "Alice").addUser(BOB, "Bob").addRoom(ROOM, { name: "Ringers", members: [ALICE, BOB] });
  net = await serve(server);
  chats = [];
});

afterEach(async () => {
  for (const chat of chats) chat.destroy();
  await net.close();
});

function join(user, storage = new MemoryStorage()) {
  const { socket, rooms } = net.urls(user);
  const env = { WebSocket, storage, random: () => 0, frame: setImmediate, fetch: (url) => fetch(url.replace("&?", "&")) };
  const chat = createChat({ user: `u${user}`, urls: { socket, rooms }, csrf: {}, env });
  chats.push(chat);
  chat.hold();
  return chat;
}

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
