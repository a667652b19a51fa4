/** What the user does with notifications: shown at once, taken back with a sentence if the server says no. */

/** @typedef {import("./types.js").Item} Item */
/** @typedef {"read" | "unread" | "archive" | "unarchive" | "read-all" | "seen"} Action */

/** @param {Action} action @param {string} now @returns {Partial<Item>} */
function change(action, now) {
  if (action === "unread") return { read_at: null };
  if (action === "seen") return { seen_at: now };
  if (/archive/.test(action)) return { archived_at: action === "archive" ? now : null };
  return { read_at: now, seen_at: now };
}

export class Actions {
  #parts;
  /** The last request per item: two of one item must not overtake each other. @type {Map<number | string, Promise<any>>} */
  #queue = new Map();

  /**
   * @param {object} parts
   * @param {import("./store.js").Store} parts.store
   * @param {(url: string, body: object) => Promise<any>} parts.request
   * @param {import("./types.js").Config["urls"]} parts.urls
   * @param {() => number} parts.now
   * @param {() => void} parts.changed
   * @param {(failure: {action: Action, ids: number[], retry: () => Promise<boolean>}, error: any) => void} parts.failed
   */
  constructor(parts) {
    this.#parts = parts;
  }

  /**
   * @param {Action} action
   * @param {number | Iterable<number>} which
   * @returns {Promise<boolean>} whether the server confirmed all
   */
  async items(action, which) {
    const ids = typeof which === "number" ? [which] : [...which];
    const url = this.#parts.urls.item.replace("{action}", action);
    const done = await Promise.all(ids.map((id) =>
      this.#run(action, [id], id, url.replace("{id}", `${id}`), {}, () => this.items(action, id))));
    return done.every(Boolean);
  }

  /** Do it with all that this tab knows of, and what else had arrived by then. @param {"read-all" | "seen"} action @returns {Promise<boolean>} */
  all(action) {
    const { store, urls } = this.#parts;
    const seen = action === "seen";
    const ids = store.items.filter((item) => !item.archived_at && !item.read_at && !(seen && item.seen_at)).map(({ id }) => id);
    return this.#run(action, ids, action, seen ? urls.seen : urls.readAll, { up_to: store.top }, () => this.all(action));
  }

  /**
   * @param {Action} action
   * @param {number[]} ids
   * @param {number | string} key of the queue
   * @param {string} url
   * @param {object} body
   * @param {() => Promise<boolean>} retry
   */
  async #run(action, ids, key, url, body, retry) {
    const { store, request, now, changed, failed } = this.#parts;
    const counts = action === "seen" ? ["unseen"] : action === "read-all" ? ["unseen", "unread"] : [];
    const wish = store.wish(change(action, new Date(now()).toISOString()), ids, counts);
    changed();
    const before = this.#queue.get(key);
    const sent = before ? before.then(() => request(url, body)) : request(url, body);
    const turn = sent.catch(() => {});
    this.#queue.set(key, turn);
    try {
      await sent;
      store.settle(wish);
    } catch (error) {
      store.cancel(wish);
      failed({ action, ids, retry }, error);
      return false;
    } finally {
      if (this.#queue.get(key) === turn) this.#queue.delete(key);
      changed();
    }
    return true;
  }
}
