/** What is being written, kept by room until it is sent: a reload or a change of room loses nothing. */

import { privatePrefix, UserStorage } from "../core/storage.js";

const LONGEST = 10_000; // characters; a message has at most 4,000, and a paste may be longer for a moment

/** @typedef {{body: string, reply_to: number | null}} Draft */

export class Drafts {
  /** What the browser does not keep. @type {Map<number, Draft>} */
  #unkept = new Map();
  #storage;

  /** @internal @param {{site?: string, user: string}} config @param {Storage | undefined} storage */
  constructor(config, storage) {
    this.#storage = new UserStorage(storage, privatePrefix("draft", config));
  }

  /** Forget what the browser does not keep. @internal */
  clear() {
    this.#unkept.clear();
  }

  /** @param {number} room @returns {Draft} */
  get(room) {
    const { body = "", reply_to = null } = this.#unkept.get(room) ?? this.#storage.get(room) ?? {};
    return { body: `${body}`, reply_to };
  }

  /** @param {number} room @param {Draft} draft */
  set(room, draft) {
    this.#unkept.delete(room);
    if (!draft.body && !draft.reply_to) this.#storage.remove(room);
    else if (!this.#storage.set(room, { ...draft, body: draft.body.slice(0, LONGEST) })) this.#unkept.set(room, draft);
  }
}
