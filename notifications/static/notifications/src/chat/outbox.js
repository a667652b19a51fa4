/**
 * What was sent and is not acknowledged yet. It outlives reloads: each message has a key of its own in localStorage, so
 * that tabs never overwrite each other's, and leaves it with the acknowledgement.
 *
 * Tabs share the store on purpose: what a closed tab left behind, another one sends. Two that send the same message do
 * no harm, for its id is the same and the server stores it once.
 */

/** @typedef {import("./types.js").Entry} Entry */

const MOST = 200; // messages; whoever writes more while nothing gets through is told so

export class Outbox {
  /** @type {Map<string, Readonly<Entry>>} in the order of sending */
  #entries = new Map();
  /** Which of them are stored: only those can disappear by another tab's hand. @type {Set<string>} */
  #stored = new Set();
  #prefix;
  #last = 0;

  /** Rises with every change. */
  revision = 0;

  /** @param {string} user @param {Storage | undefined} storage @param {() => number} now */
  constructor(user, storage, now) {
    this.#prefix = `carillon-outbox ${user} `;
    this.storage = storage;
    this.now = now;
    this.sync();
  }

  get full() {
    return this.#entries.size >= MOST;
  }

  /** @param {number} room @returns {Readonly<Entry>[]} in the order of sending */
  of(room) {
    return [...this.#entries.values()].filter((entry) => entry.room === room);
  }

  /** The rooms in which something waits. */
  get rooms() {
    return new Set([...this.#entries.values()].map(({ room }) => room));
  }

  /** @param {string} id */
  has(id) {
    return this.#entries.has(id);
  }

  /**
   * @param {{room: number, body: string, reply_to: number | null}} message
   * @returns {Readonly<Entry> | null} null: the outbox is full
   */
  add(message) {
    if (this.full) return null;
    this.#last = Math.max(this.now(), this.#last + 1);
    const entry = /** @type {Entry} */ ({ ...message, id: uuid(), at: this.#last, state: "queued" });
    this.#set(entry);
    return entry;
  }

  /** The next message of a room to be sent. @param {number} room */
  next(room) {
    return this.of(room).find(({ state }) => state !== "failed");
  }

  /** @param {string} id @param {Partial<Entry>} change */
  change(id, change) {
    const entry = this.#entries.get(id);
    if (entry) this.#set({ ...entry, ...change }, entry.state !== change.state && change.state !== "sending");
  }

  /** It is stored by the server, or the user gave it up. @param {string} id */
  drop(id) {
    if (!this.#entries.delete(id)) return;
    this.#stored.delete(id);
    this.storage?.removeItem(this.#prefix + id);
    this.revision++;
  }

  /** Another tab wrote to the store. @param {string | null} key @param {string | null} value */
  heard(key, value) {
    const id = key?.startsWith(this.#prefix) && key.slice(this.#prefix.length);
    if (!id || value !== null || this.#entries.get(id)?.state === "sending") return;
    this.#stored.delete(id);
    this.#entries.delete(id);
    this.revision++;
  }

  /** Take over what other tabs left behind, and let go of what they sent. */
  sync() {
    const { storage } = this;
    if (!storage) return;
    const found = new Set();
    for (const key of Object.keys(storage).filter((key) => key.startsWith(this.#prefix))) {
      const id = key.slice(this.#prefix.length);
      found.add(id);
      if (this.#entries.has(id)) continue;
      const entry = read(storage.getItem(key));
      if (!entry) continue; // sent meanwhile, or not ours
      this.#entries.set(id, Object.freeze({ ...entry, id, state: entry.state === "failed" ? "failed" : "queued" }));
      this.#stored.add(id);
    }
    for (const id of this.#stored) if (!found.has(id)) this.heard(this.#prefix + id, null);
    this.#entries = new Map([...this.#entries].sort((a, b) => a[1].at - b[1].at));
    this.#last = Math.max(this.#last, [...this.#entries.values()].at(-1)?.at ?? 0);
    this.revision++;
  }

  /** @param {Entry} entry @param {boolean} [store] */
  #set(entry, store = true) {
    this.#entries.set(entry.id, Object.freeze(entry));
    this.revision++;
    if (!store) return;
    try {
      this.storage?.setItem(this.#prefix + entry.id, JSON.stringify(entry));
      this.#stored.add(entry.id);
    } catch {} // the store is full: it is sent all the same, if the page stays
  }
}

/** @param {string | null} text @returns {Entry | null} */
function read(text) {
  try {
    const entry = JSON.parse(text ?? "null");
    return entry && typeof entry.body === "string" && Number.isInteger(entry.room) && Number.isFinite(entry.at) ? entry : null;
  } catch {
    return null;
  }
}

/** `crypto.randomUUID` without the need of a secure context (RFC 9562, version 4). */
function uuid() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const text = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return text.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
