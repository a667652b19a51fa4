/** The chat's client: one socket for this tab, its rooms, and the outbox that gets everything through. */

import { emitter } from "../core/emitter.js";
import { link } from "../core/link.js";
import { watchPage } from "../core/page.js";
import { requester } from "../core/request.js";
import { Calls } from "./calls.js";
import { Drafts } from "./drafts.js";
import { chatEnvironment } from "./env.js";
import { RoomList } from "./list.js";
import { Outbox } from "./outbox.js";
import { Room } from "./room.js";
import { Sender } from "./sender.js";
import { chatSocket } from "./socket.js";

const LINGER = 5_000; // ms the socket outlives its last holder
const OVER = ["signed-out", "closed"];

export class Chat {
  #emitter = emitter();
  #calls;
  #sender;
  #link;
  #unwatch;
  #unhear;
  /** @type {Map<number, Room>} */
  #rooms = new Map();
  /** @type {Set<object>} */
  #holders = new Set();
  /** @type {any} */
  #linger;
  #dirty = false;

  on = this.#emitter.on;
  emit = this.#emitter.emit;
  /** The connection, as people are told. @type {import("../core/state.js").Snapshot} */
  state = Object.freeze({ name: "closed", reason: "stopped", attempt: 0, nextTryAt: null, troubledSince: null, transport: "socket" });
  /** Whether commands get through. */
  live = false;
  /** Who the user is. @type {import("./types.js").Actor | null} */
  me = null;

  /** @param {import("./types.js").ChatConfig} config */
  constructor(config) {
    this.config = Object.freeze(config);
    this.me = config.me ?? null;
    const env = (this.env = chatEnvironment(config.env));
    const request = requester(config, env);
    this.#calls = new Calls(env);
    this.#sender = new Sender(this);
    this.outbox = new Outbox(config.user, env.storage, env.now);
    this.drafts = new Drafts(config.user, env.storage);
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
    const heard = (/** @type {any} */ { key, newValue }) => this.outbox.heard(key, newValue);
    env.window?.addEventListener("storage", heard);
    this.#unhear = () => env.window?.removeEventListener("storage", heard);
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
    this.#link({ type: OVER.includes(this.state.name) ? "start" : "retry" });
  }

  destroy() {
    this.#holders.clear();
    this.#stop();
    this.#unwatch();
    this.#unhear();
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
   * @throws {import("./calls.js").Refused}
   */
  call(command) {
    return this.#calls.call(command);
  }

  /** Send what waits in a room, in order. @param {number} room */
  flush(room) {
    this.#sender.flush(room);
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

  #stop = () => this.#link({ type: "rest", name: "closed", reason: "stopped" });

  #awaken() {
    this.#link({ type: this.state.name === "paused" ? "start" : "wake" });
  }

  /** @param {import("./socket.js").Session} session */
  #connect(session) {
    const url = this.config.urls.socket;
    if (!url) return session.end({ reason: "no-socket", retry: null });
    const bytes = () => {
      this.#calls.heard();
      session.bytes();
    };
    const frame = (/** @type {any} */ one) => {
      // Somebody else signed in meanwhile: what waits here is not theirs to send.
      const other = one.type === "hello" && this.me && one.user.id !== this.me.id;
      if (other) session.end({ reason: "signed-out", retry: null });
      else session.frame(one);
    };
    const write = chatSocket({ ...session, bytes, frame }, { url, WebSocket: this.env.WebSocket });
    this.#calls.open({ write, end: session.end });
  }

  /** @param {import("../core/state.js").Snapshot} next */
  #state(next) {
    const before = this.state;
    const name = next.name === "polling" ? "live" : next.name; // the machine takes the last of several transports for polling
    this.state = Object.freeze({ ...next, name });
    const found = !this.live;
    this.live = name === "live" || name === "stale";
    if (this.live) this.#calls.ready();
    else this.#calls.lost();
    if (Object.keys(next).every((key) => this.state[/** @type {"name"} */ (key)] === before[/** @type {"name"} */ (key)])) return;
    this.emit("state", { ...this.state, from: before.name, to: name });
    this.changed();
    if (found && this.live) this.#found();
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
    const { type, room } = frame;
    if (type === "hello") this.me = frame.user;
    else if (type === "ack" || type === "nack") this.#calls.answer(frame);
    else if (type === "heartbeat") for (const room of this.#rooms.values()) room.heartbeat(frame.head);
    else if (room !== undefined) {
      this.room(room).apply(frame);
      if (frame.event === "added") this.list.add(this.room(room));
    }
  }
}

/** @param {import("./types.js").ChatConfig} config @returns {Chat} */
export function createChat(config) {
  return new Chat(config);
}