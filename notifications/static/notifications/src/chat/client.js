/** The chat's client: one socket for this tab, its rooms, and the outbox that gets everything through. */

import { emitter } from "../emitter.js";
import { environment } from "../env.js";
import { link } from "../link.js";
import { watchPage } from "../page.js";
import { requester } from "../request.js";
import { Drafts } from "./drafts.js";
import { RoomList } from "./list.js";
import { Outbox } from "./outbox.js";
import { Room } from "./room.js";
import { chatSocket } from "./socket.js";

const LINGER = 5_000; // ms the socket outlives its last holder
const PATIENCE = 10_000; // ms of silence after a command: the connection is lost, whatever TCP believes
const LONGEST = 60_000; // ms for an answer on a connection that is otherwise alive
const BREATH = 250; // ms at least before a message is sent again that the server could not take
const OVER = ["signed-out", "closed"];

/** @typedef {{resolve: (ack: any) => void, reject: (error: Error) => void, timer: any}} Call */

/** A nack, or no answer (`reason: "network"`). */
export class Refused extends Error {
  /** @param {string} reason @param {string} [message] @param {number | null} [retry] ms; null: repeating is of no use */
  constructor(reason, message, retry = 0) {
    super(message);
    this.reason = reason;
    this.retry = retry;
  }
}

export class Chat {
  #emitter = emitter();
  #link;
  #unwatch;
  /** @type {Map<number, Room>} */
  #rooms = new Map();
  /** @type {Map<number, Call>} */
  #calls = new Map();
  #ref = 0;
  /** @type {{write: (command: object) => void, end: (ending: {reason: string}) => void} | null} */
  #socket = null;
  #heardAt = 0;
  /** The rooms with a message on its way: one at a time keeps the order. @type {Set<number>} */
  #sending = new Set();
  /** @type {Set<object>} */
  #holders = new Set();
  /** @type {any} */
  #linger;
  #dirty = false;

  on = this.#emitter.on;
  emit = this.#emitter.emit;
  /** The connection, as people are told. @type {import("../state.js").Snapshot} */
  state = Object.freeze({ name: "closed", reason: "stopped", attempt: 0, nextTryAt: null, troubledSince: null, transport: "socket" });
  /** Whether commands get through. */
  live = false;
  /** Who the user is; null until the server said so. @type {import("./types.js").Actor | null} */
  me = null;

  /** @param {import("./types.js").ChatConfig} config */
  constructor(config) {
    this.config = Object.freeze(config);
    const env = (this.env = environment(config.env));
    const request = requester(config, env);
    this.outbox = new Outbox(config.user, storage(env), env.now);
    this.drafts = new Drafts(config.user, storage(env));
    this.list = new RoomList(this, (query) => request(`${config.urls.rooms}?${new URLSearchParams(query)}`));
    this.#link = link(env, {
      transports: [["socket", (session) => this.#connect(session)]],
      cursor: () => "",
      onFrame: (frame) => this.#apply(frame),
      onState: (state) => this.#state(state),
    });
    this.#unwatch = watchPage(env, {
      suspend: () => OVER.includes(this.state.name) || this.#link({ type: "rest", name: "paused", reason: "hidden" }),
      awaken: () => this.#awaken(),
      visibility: () => {
        if (env.document?.visibilityState === "visible") this.#awaken();
        this.changed();
      },
      network: (type) => this.#link({ type }),
    });
    const heard = (/** @type {any} */ { key, newValue }) => {
      this.outbox.heard(key, newValue);
      this.changed();
    };
    env.window?.addEventListener("storage", heard);
    this.unhear = () => env.window?.removeEventListener("storage", heard);
  }

  /** Want the connection until the returned function is called. @returns {() => void} */
  hold() {
    const holder = {};
    this.env.clearTimeout(this.#linger);
    this.#holders.add(holder);
    if (this.state.name === "closed" && this.state.reason === "stopped") this.#link({ type: "start" });
    return () => {
      this.#holders.delete(holder);
      if (this.#holders.size) return;
      this.env.clearTimeout(this.#linger);
      this.#linger = this.env.setTimeout(() => this.#holders.size || this.#stop(), LINGER);
    };
  }

  /** Try now, whatever the state. */
  retryNow() {
    if (OVER.includes(this.state.name)) this.#link({ type: "start" });
    else this.#link({ type: "retry" });
  }

  destroy() {
    this.#holders.clear();
    this.#stop();
    this.#unwatch();
    this.unhear();
  }

  /** @param {number} id @returns {Room} the same object for the same id */
  room(id) {
    const room = this.#rooms.get(id) ?? new Room(this, id);
    this.#rooms.set(id, room);
    return room;
  }

  /** A sentence in the page's language. @param {string} key @param {string} fallback */
  text = (key, fallback) => this.config.strings?.[key] ?? fallback;

  /**
   * Give the server a command.
   *
   * @param {{type: string, [field: string]: any}} command
   * @returns {Promise<any>} the acknowledgement
   * @throws {Refused}
   */
  call(command) {
    return new Promise((resolve, reject) => {
      if (!this.#socket || !this.live) return reject(new Refused("network"));
      const ref = ++this.#ref;
      this.#calls.set(ref, { resolve, reject, timer: this.#expect(ref, this.env.now()) });
      this.#socket.write({ ...command, ref });
    });
  }

  /** Send what waits in a room, one after the other. @param {number} room */
  async flush(room) {
    const entry = this.outbox.next(room);
    if (!entry || !this.live || this.#sending.has(room)) return;
    const { id, body, reply_to } = entry;
    this.#sending.add(room);
    this.outbox.change(id, { state: "sending" });
    this.changed();
    let pause = 0;
    try {
      const ack = await this.call({ type: "message.send", room, id, body, reply_to });
      this.room(room).sent(entry, ack);
      this.outbox.drop(id);
    } catch (error) {
      const { reason, message, retry } = /** @type {Refused} */ (error);
      if (retry === null) this.outbox.change(id, { state: "failed", error: message });
      else this.outbox.change(id, { state: "queued" });
      if (reason === "network") pause = Infinity; // the next connection continues
      else pause = retry === null ? 0 : Math.max(retry, BREATH);
    }
    this.changed();
    if (!pause || pause === Infinity) this.#sending.delete(room);
    else this.env.setTimeout(() => (this.#sending.delete(room), this.flush(room)), pause);
    if (!pause) this.flush(room);
  }

  /** Ask for one `change` before the next painting, however much happens until then. */
  changed = () => {
    if (this.#dirty) return;
    this.#dirty = true;
    this.env.frame(() => {
      this.#dirty = false;
      this.emit("change");
    });
  };

  #stop() {
    this.#link({ type: "rest", name: "closed", reason: "stopped" });
  }

  #awaken() {
    if (this.state.name === "paused") this.#link({ type: "start" });
    else this.#link({ type: "wake" });
  }

  /** @param {import("./socket.js").Session} session */
  #connect(session) {
    const { env, config } = this;
    if (!config.urls.socket) return session.end({ reason: "no-socket", retry: null });
    const bytes = () => {
      this.#heardAt = env.now();
      session.bytes();
    };
    const write = chatSocket({ ...session, bytes }, { url: config.urls.socket, WebSocket: env.WebSocket });
    this.#socket = { write, end: session.end };
  }

  /** Give up a connection that takes commands and says nothing. @param {number} ref @param {number} since epoch ms */
  #expect(ref, since) {
    return this.env.setTimeout(() => {
      const call = this.#calls.get(ref);
      const now = this.env.now();
      if (!call) return;
      if (now - this.#heardAt < PATIENCE && now - since < LONGEST) call.timer = this.#expect(ref, since);
      else this.#socket?.end({ reason: "timeout" });
    }, PATIENCE);
  }

  /** @param {import("../state.js").Snapshot} next */
  #state(next) {
    const before = this.state;
    this.state = Object.freeze(next);
    const live = next.name === "live" || next.name === "stale";
    if (this.live && !live) this.#lost();
    this.live = live;
    if (Object.keys(next).every((key) => next[/** @type {"name"} */ (key)] === before[/** @type {"name"} */ (key)])) return;
    this.emit("state", { ...next, from: before.name, to: next.name });
    this.changed();
    if (live && before.name !== "live" && before.name !== "stale") this.#found();
  }

  #lost() {
    this.live = false;
    this.#socket = null;
    const calls = [...this.#calls.values()];
    this.#calls.clear();
    for (const { reject, timer } of calls) {
      this.env.clearTimeout(timer);
      reject(new Refused("network"));
    }
  }

  /** A new connection: continue every room, and send what waits. */
  #found() {
    this.outbox.sync();
    for (const room of this.#rooms.values()) room.open();
    this.list.load();
    for (const room of this.outbox.rooms) this.flush(room);
  }

  /** @param {any} frame */
  #apply(frame) {
    const { type, ref, room } = frame;
    if (type === "hello") this.me = frame.user;
    else if (type === "ack" || type === "nack") this.#answer(ref, frame);
    else if (type === "heartbeat") for (const room of this.#rooms.values()) room.heartbeat(frame.head);
    else if (room !== undefined) {
      this.room(room).apply(frame);
      if (frame.event === "added") this.list.add(this.room(room));
    }
  }

  /** @param {number} ref @param {any} frame */
  #answer(ref, frame) {
    const call = this.#calls.get(ref);
    if (!call) return;
    this.#calls.delete(ref);
    this.env.clearTimeout(call.timer);
    if (frame.type === "ack") call.resolve(frame);
    else call.reject(new Refused(frame.code, frame.message, frame.retry ?? null));
  }
}

/** Private modes and sandboxed frames throw at the mere mention. @param {any} env @returns {Storage | undefined} */
function storage(env) {
  try {
    return "storage" in env ? env.storage : globalThis.localStorage;
  } catch {
    return undefined;
  }
}

/** @param {import("./types.js").ChatConfig} config @returns {Chat} */
export function createChat(config) {
  return new Chat(config);
}
