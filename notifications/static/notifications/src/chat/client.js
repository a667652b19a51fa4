/** The chat's client: one socket for this tab, its rooms, and the outbox that gets everything through. */

import { storageOf } from "../core/env.js";
import { PageClient } from "../core/page-client.js";
import { ChatConnection } from "./connection.js";
import { Drafts } from "./drafts.js";
import { Outbox } from "./outbox.js";
import { Room } from "./room.js";
import { RoomList } from "./room-list.js";
import { Sender } from "./sender.js";

/** @typedef {import("./types.js").ChatConfig} ChatConfig */

/**
 * Make a client of your own; it connects when something holds it.
 *
 * @param {ChatConfig} config
 * @returns {Chat}
 */
export function createChat(config) {
  return new Chat(config);
}

/** @extends {PageClient<ChatConfig, import("./types.js").ChatEvents>} */
export class Chat extends PageClient {
  #connection;
  #sender;
  /** @type {Map<number, Room>} */
  #rooms = new Map();

  /** Who the user is. @type {import("./types.js").Actor | null} */
  me;
  /** What is not acknowledged yet. */
  outbox;
  /** What is being written, by room. @internal */
  drafts;
  /** The user's rooms. */
  list;

  /** @internal @param {ChatConfig} config */
  constructor(config) {
    super(config);
    const { env } = this;
    const storage = storageOf(env);
    this.me = config.me ?? null;
    this.#connection = new ChatConnection(this, () => this.#connected());
    this.#sender = new Sender(this);
    this.outbox = new Outbox(config, storage, () => this.now());
    this.drafts = new Drafts(config, storage);
    this.list = new RoomList(this);
    const listen = (/** @type {string} */ type, /** @type {(event: any) => void} */ listener) =>
      env.window?.addEventListener(type, listener, { signal: this.ended });
    listen("storage", ({ key, newValue }) => this.outbox.heard(key, newValue));
    // The inbox says so, of its own user: another one's chat may be here already.
    listen("carillon-signed-out", ({ detail }) => detail?.user === config.user && this.#connection.signOut());
  }

  /** The connection, as people are told. @returns {Readonly<import("../core/state.js").Snapshot>} */
  get state() {
    return this.#connection.state;
  }

  /** Whether commands get through. @returns {boolean} */
  get live() {
    return this.#connection.live;
  }

  /** Connect, unless that was tried already. @internal */
  open() {
    this.#connection.start();
  }

  /** Disconnect, whoever wants the connection. @internal */
  stop() {
    this.holders.clear();
    this.#connection.stop();
  }

  /** Try now, whatever the state. */
  retryNow() {
    this.#connection.retry();
  }

  /** Show nothing of the user any more, and keep nothing that they wrote. @internal */
  forget() {
    this.outbox.clear();
    this.drafts.clear();
    this.list.clear();
    for (const room of this.#rooms.values()) room.clear();
    super.forget();
  }

  /**
   * A room; the same object for the same id.
   *
   * @param {number} id
   * @returns {Room}
   */
  room(id) {
    const room = this.#rooms.get(id) ?? new Room(this, id);
    this.#rooms.set(id, room);
    return room;
  }

  /**
   * Give the server a command.
   *
   * @internal
   * @param {{type: string, [field: string]: any}} command
   * @returns {Promise<any>} the acknowledgement
   * @throws {import("./commands.js").CommandError}
   */
  call(command) {
    return this.#connection.call(command);
  }

  /** Send what waits in a room, in order. @internal @param {number} room */
  flush(room) {
    this.#sender.flush(room);
  }

  /** Take a frame. @internal @param {any} frame */
  apply(frame) {
    const { type, room } = frame;
    if (type === "hello") {
      this.me = frame.user;
      this.setClock(frame);
    }
    // What we have read is ours to say: the server closes a socket that may not be reading.
    else if (type === "checkpoint") this.call({ type, token: frame.token }).catch(() => {});
    else if (type === "heartbeat") for (const each of this.#rooms.values()) each.heartbeat(frame.head);
    else if (room !== undefined) {
      this.room(room).apply(frame);
      if (frame.event === "added") this.list.add(this.room(room));
    }
  }

  /** A new connection: continue every room, and send what waits. */
  #connected() {
    this.outbox.sync();
    for (const room of this.#rooms.values()) room.open();
    this.list.load();
    for (const room of this.outbox.rooms) this.flush(room);
  }
}
