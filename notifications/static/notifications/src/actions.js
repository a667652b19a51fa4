/** What the user does with notifications: shown at once, taken back with a sentence if the server says no. */

/** @typedef {import("./types.js").Item} Item */

const SENTENCES = {
  read: ["couldNotRead", "Could not mark as read."],
  unread: ["couldNotUnread", "Could not mark as unread."],
  archive: ["couldNotArchive", "Could not archive."],
  unarchive: ["couldNotUnarchive", "Could not move back to the inbox."],
  "read-all": ["couldNotReadAll", "Could not mark all as read."],
  seen: ["couldNotSeen", "Could not mark as seen."],
};

/** @typedef {keyof typeof SENTENCES} Action */

/** @type {Record<Action, (now: string) => Partial<Item>>} */
const CHANGES = {
  read: (now) => ({ read_at: now, seen_at: now }),
  unread: () => ({ read_at: null }),
  archive: (now) => ({ archived_at: now }),
  unarchive: () => ({ archived_at: null }),
  "read-all": (now) => ({ read_at: now, seen_at: now }),
  seen: (now) => ({ seen_at: now }),
};

export class Actions {
  /** The last request per item: two of one item must not overtake each other. @type {Map<number | string, Promise<any>>} */
  #queue = new Map();

  /**
   * @param {object} parts
   * @param {import("./store.js").Store} parts.store
   * @param {(url: string, body?: object) => Promise<any>} parts.request
   * @param {import("./types.js").Config} parts.config
   * @param {() => number} parts.now
   * @param {() => void} parts.changed
   * @param {(failure: {action: string, ids: number[], message: string, retry: () => void}, reason: string) => void} parts.failed
   * @param {(key: string, fallback: string) => string} parts.text
   */
  constructor(parts) {
    this.parts = parts;
  }

  /**
   * @param {Action} action
   * @param {number | Iterable<number>} which
   * @returns {Promise<boolean>} whether the server confirmed all
   */
  async items(action, which) {
    const ids = typeof which === "number" ? [which] : [...which];
    const { urls } = this.parts.config;
    const done = await Promise.all(ids.map((id) =>
      this.#run(action, [id], id, () => urls.item.replace("{id}", `${id}`).replace("{action}", action), {})));
    return done.every(Boolean);
  }

  /** @param {"read-all" | "seen"} action @returns {Promise<boolean>} */
  async all(action) {
    const { store, config } = this.parts;
    const ids = store.items.filter((item) => !item.archived_at && !item.read_at && !(action === "seen" && item.seen_at)).map(({ id }) => id);
    return this.#run(action, ids, action, () => (action === "seen" ? config.urls.seen : config.urls.readAll), { up_to: store.top });
  }

  /** @param {Action} action @param {number[]} ids @param {number | string} key @param {() => string} url @param {object} body */
  async #run(action, ids, key, url, body) {
    const { store, request, now, changed, failed, text } = this.parts;
    const all = action === "read-all" ? "unread" : action === "seen" ? "unseen" : undefined;
    const wish = store.wish(CHANGES[action](new Date(now()).toISOString()), ids, all);
    changed();
    const turn = this.#queue.get(key);
    const sent = turn ? turn.then(() => request(url(), body)) : request(url(), body);
    const quiet = sent.then(() => {}, () => {});
    this.#queue.set(key, quiet);
    try {
      await sent;
      store.settle(wish);
      return true;
    } catch (error) {
      store.cancel(wish);
      const { reason } = /** @type {import("./api.js").Refusal} */ (error);
      const [name, fallback] = SENTENCES[action];
      const retry = () => (typeof key === "number" ? this.items(action, ids) : this.all(/** @type {"seen"} */ (action)));
      failed({ action, ids, message: text(name, fallback), retry }, reason);
      return false;
    } finally {
      if (this.#queue.get(key) === quiet) this.#queue.delete(key);
      changed();
    }
  }
}
