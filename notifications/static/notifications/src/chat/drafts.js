/** What is being written, kept by room until it is sent: a reload or a change of room loses nothing. */

const LONGEST = 10_000; // characters; a message has at most 4,000, and a paste may be longer for a moment

/** @typedef {{body: string, reply_to: number | null}} Draft */

export class Drafts {
  /** @type {Map<number, Draft>} what the store does not take */
  #kept = new Map();
  #prefix;

  /** @param {string} user @param {Storage | undefined} storage */
  constructor(user, storage) {
    this.#prefix = `carillon-draft ${user} `;
    this.storage = storage;
  }

  /** @param {number} room @returns {Draft} */
  get(room) {
    const none = { body: "", reply_to: null };
    try {
      return { ...none, ...(this.#kept.get(room) ?? JSON.parse(this.storage?.getItem(this.#prefix + room) ?? "null")) };
    } catch {
      return none;
    }
  }

  /** @param {number} room @param {Draft} draft */
  set(room, draft) {
    this.#kept.set(room, draft);
    try {
      if (draft.body || draft.reply_to) {
        this.storage?.setItem(this.#prefix + room, JSON.stringify({ ...draft, body: draft.body.slice(0, LONGEST) }));
      } else this.storage?.removeItem(this.#prefix + room);
      if (this.storage) this.#kept.delete(room);
    } catch {} // the store is full: it is kept while the page stays
  }
}
