/**
 * Whatever the network does, it ends well: frames and acknowledgements are lost, repeated and reordered, connections
 * are cut or swallow everything, pages are reloaded, the server restarts. Afterwards every client shows what the server
 * has, each message once and in the same order, and nothing that somebody typed is lost.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";

import { createChat } from "../../notifications/static/notifications/src/chat/client.js";
import { ChatServer } from "./support/chat_server.js";
import { Clock } from "./support/clock.js";
import { MemoryStorage } from "./support/storage.js";

const PEOPLE = [1, 2, 3];
const ROOM = 7;
const RUNS = Number(process.env.CHAT_RUNS ?? 60);

class World {
  clock = new Clock();
  server = new ChatServer(this.clock.now);
  typed = new Map(PEOPLE.map((user) => [user, []]));

  constructor(seed) {
    this.random = mulberry(seed);
    for (const user of PEOPLE) this.server.addUser(user, `User ${user}`);
    this.server.addRoom(ROOM, { members: PEOPLE });
    this.places = PEOPLE.map((user) => ({ user, storage: new MemoryStorage(), wires: [], silent: false }));
    for (const place of this.places) this.open(place);
  }

  /** Load the page. */
  open(place) {
    const { clock, server } = this;
    class Wire {
      down = []; // from the server
      up = []; // to the server
      constructor() {
        this.alive = true;
        this.connection = server.connect(place.user, (text) => this.down.push(text));
        place.wires.push(this);
      }
      send(text) {
        this.up.push(text);
      }
      close() {
        this.alive = false;
        this.connection.end();
        place.wires = place.wires.filter((wire) => wire !== this);
      }
      /** The connection breaks; what was under way is lost. */
      cut() {
        this.close();
        this.onclose?.({ code: 1006 });
      }
      flow(most = Infinity) {
        for (
          let count = 0;
          count < most && this.alive && !place.silent && (this.up.length || this.down.length);
          count++
        ) {
          if (this.up.length) this.connection.receive(this.up.shift());
          if (this.down.length) this.onmessage?.({ data: this.down.shift() });
        }
      }
    }
    const { now, setTimeout, clearTimeout } = clock;
    const env = {
      WebSocket: Wire,
      storage: place.storage,
      random: this.random,
      now,
      setTimeout,
      clearTimeout,
      frame: queueMicrotask,
    };
    place.chat = createChat({ user: `${place.user}`, urls: { socket: "ws://test/", rooms: "" }, csrf: {}, env });
    place.chat.hold();
    place.room = place.chat.room(ROOM);
    place.room.hold();
  }

  async act({ type, who, count }) {
    const place = this.places[who];
    const [wire] = place.wires.slice(-1);
    if (type === "type") this.type(place);
    else if (type === "flow") wire?.flow(count);
    else if (type === "lose") wire?.down.shift();
    else if (type === "lose up") wire?.up.shift();
    else if (type === "repeat" && wire?.down.length) wire.down.push(wire.down[0]);
    else if (type === "repeat up" && wire?.up.length) wire.up.push(wire.up[0]);
    else if (type === "reorder" && wire) wire.down.sort(() => this.random() - 0.5);
    else if (type === "cut") wire?.cut();
    else if (type === "swallow") place.silent = !place.silent;
    else if (type === "restart") for (const { wires } of this.places) for (const each of [...wires]) each.cut();
    else if (type === "reload") {
      place.chat.destroy();
      for (const each of [...place.wires]) each.close();
      this.open(place);
    } else if (type === "react" || type === "edit") this.change(type, place);
    else if (type === "pass") await this.clock.pass(count * 1500);
    await this.clock.pass(10);
  }

  type(place) {
    const body = `${place.user}: ${this.typed.get(place.user).length}`;
    if (place.room.send(body)) this.typed.get(place.user).push(body);
  }

  change(type, { room, chat }) {
    const message = room.messages.findLast(({ author }) => type === "react" || author?.id === chat.me?.id);
    if (message && type === "react") room.react(message, "🔔");
    else if (message) room.edit(message, message.body); // the same words: the checks below know them
  }

  /** Everything works again; two and a half minutes are enough for every wait. */
  async heal(seconds) {
    for (const place of this.places) place.silent = false;
    for (let second = 0; second < seconds; second++) {
      for (const { wires } of this.places) for (const wire of wires) wire.flow();
      if (second % 25 === 24)
        for (const { wires } of this.places) for (const wire of wires) wire.connection.heartbeat();
      await this.clock.pass(1000);
    }
  }

  check() {
    const { messages } = this.server.rooms.get(ROOM);
    assert.deepEqual(
      messages.map(({ number }) => number),
      messages.map((_, index) => index + 1),
      "numbers without a gap",
    );
    for (const { user, room, chat, storage } of this.places) {
      const said = messages.filter(({ author }) => author.id === user).map(({ body }) => body);
      assert.deepEqual(said, this.typed.get(user), `what ${user} typed is there once and in order`);
      assert.deepEqual(room.messages, messages, `${user} sees what the server has`);
      assert.deepEqual(room.waiting, [], "nothing waits");
      assert.deepEqual(Object.keys(storage), [], "and nothing is kept for later");
      assert.equal(chat.state.name, "live");
    }
  }
}

/** A small seeded generator, so that a failure can be repeated. */
function mulberry(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let value = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return ((value ^ (value >>> 14)) >>> 0) / 4294967296;
  };
}

const step = (type, weight) => ({ weight, arbitrary: fc.constant(type) });
const steps = [
  step("type", 8),
  step("flow", 16),
  step("lose", 8),
  step("lose up", 2),
  step("repeat", 3),
  step("repeat up", 2),
  step("reorder", 3),
  step("cut", 1),
  step("swallow", 1),
  step("reload", 0.5),
  step("restart", 0.3),
  step("react", 2),
  step("edit", 2),
  step("pass", 3),
];
const whole = steps.map(({ weight, ...rest }) => ({ weight: weight * 10, ...rest }));
const action = fc.record({
  type: fc.oneof(...whole),
  who: fc.integer({ min: 0, max: PEOPLE.length - 1 }),
  count: fc.integer({ min: 1, max: 4 }),
});

test("any order, loss and repetition converges, and nothing typed is lost", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.noBias(fc.integer()),
      fc.noBias(fc.array(action, { minLength: 20, maxLength: 150, size: "max" })),
      async (seed, actions) => {
        const world = new World(seed);
        await world.heal(5);
        for (const one of actions) await world.act(one);
        await world.heal(150);
        world.check();
        for (const { chat } of world.places) chat.destroy();
      },
    ),
    { numRuns: RUNS },
  );
});
