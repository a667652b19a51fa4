/**
 * What was sent and is not acknowledged yet. It outlives reloads: each message has a key of its own in localStorage, so
 * that tabs never overwrite each other's, and leaves it with the acknowledgement.
 *
 * Tabs share the store on purpose: what a closed tab left behind, another one sends. Two that send the same message do
 * no harm, for its id is the same and the server stores it once.
 */

import { randomBytes } from "../core/browser.js";
import { privatePrefix, UserStorage } from "../core/storage.js";

/** @typedef {import("./types.js").Entry} Entry */

const MOST = 200; // messages; whoever writes more while nothing gets through is told so

export class Outbox {
  /** @type {Map<string, Readonly<Entry>>} in the order of sending */
  #entries = new Map();
  /** Which of them are stored: only those can disappear by another tab's hand. @type {Set<string>} */
  #stored = new Set();
  #storage;
  #now;
  #last = 0;

  /** @internal @param {{site?: string, user: string}} config @param {Storage | undefined} storage @param {() => number} now */
  constructor(config, storage, now) {
    this.#storage = new UserStorage(storage, privatePrefix("outbox", config));
    this.#now = now;
    this.sync();
  }

  /** So much waits that no more is taken. @returns {boolean} */
  get full() {
    return this.#entries.size >= MOST;
  }

  /** @param {number} room @returns {Readonly<Entry>[]} in the order of sending @internal */
  of(room) {
    return [...this.#entries.values()].filter((entry) => entry.room === room);
  }

  /** The rooms in which something waits. @internal */
  get rooms() {
    return new Set([...this.#entries.values()].map(({ room }) => room));
  }

  /**
   * @param {{room: number, body: string, reply_to: number | null}} message
   * @returns {Readonly<Entry> | null} null: the outbox is full
   * @internal
   */
  add(message) {
    if (this.full) return null;
    this.#last = Math.max(this.#now(), this.#last + 1);
    const entry = /** @type {Entry} */ ({ ...message, id: uuid(), at: this.#last, state: "queued" });
    this.#set(entry);
    return entry;
  }

  /** The next message of a room to be sent. @param {number} room @internal */
  next(room) {
    return this.of(room).find(({ state }) => state !== "failed");
  }

  /** @param {string} id @param {Partial<Entry>} change @internal */
  change(id, change) {
    const entry = this.#entries.get(id);
    if (entry) this.#set({ ...entry, ...change }, entry.state !== change.state && change.state !== "sending");
  }

  /** It is stored by the server, or the user gave it up. @param {string} id @internal */
  drop(id) {
    if (!this.#entries.delete(id)) return;
    this.#stored.delete(id);
    this.#storage.remove(id);
  }

  /** Forget everything: the user signed out. @internal */
  clear() {
    for (const id of [...this.#entries.keys()]) this.drop(id);
  }

  /** Another tab wrote to the store. @param {string | null} key @param {string | null} value @internal */
  heard(key, value) {
    const id = this.#storage.nameOf(key);
    if (id && value === null) this.#gone(id);
  }

  /** Take over what other tabs left behind, and let go of what they sent. @internal */
  sync() {
    const { names } = this.#storage;
    if (!names) return;
    for (const id of names) if (!this.#entries.has(id)) this.#adopt(id);
    for (const id of this.#stored) if (!names.includes(id)) this.#gone(id);
    this.#entries = new Map([...this.#entries].sort((a, b) => a[1].at - b[1].at));
    this.#last = Math.max(this.#last, [...this.#entries.values()].at(-1)?.at ?? 0);
  }

  /** @param {string} id */
  #adopt(id) {
    const entry = this.#storage.get(id);
    if (!isEntry(entry)) return; // sent meanwhile, or not ours
    this.#entries.set(id, Object.freeze({ ...entry, id, state: entry.state === "failed" ? "failed" : "queued" }));
    this.#stored.add(id);
  }

  /** Another tab took it out of the store. @param {string} id */
  #gone(id) {
    if (this.#entries.get(id)?.state === "sending") return;
    this.#stored.delete(id);
    this.#entries.delete(id);
  }

  /** @param {Entry} entry @param {boolean} [store] */
  #set(entry, store = true) {
    this.#entries.set(entry.id, Object.freeze(entry));
    // Where the store is full it is sent all the same, if the page stays.
    if (store && this.#storage.set(entry.id, entry)) this.#stored.add(entry.id);
  }
}

/** @param {any} entry @returns {entry is Entry} */
function isEntry(entry) {
  return !!entry && typeof entry.body === "string" && Number.isInteger(entry.room) && Number.isFinite(entry.at);
}

/** `crypto.randomUUID` without the need of a secure context (RFC 9562, version 4). */
function uuid() {
  const bytes = randomBytes(16);
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const text = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return text.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
