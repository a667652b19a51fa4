/** What the user does with notifications: shown at once, taken back if the server says no. */

/** @typedef {import("./types.js").Item} Item */
/** @typedef {"read" | "click" | "unread" | "archive" | "unarchive" | "read-all" | "seen"} Action */

/** @param {Action} action @param {string} now @returns {Partial<Item>} */
function change(action, now) {
  if (action === "unread") return { read_at: null };
  if (action === "seen") return { seen_at: now };
  if (/archive/.test(action)) return { archived_at: action === "archive" ? now : null };
  return { read_at: now, seen_at: now };
}

/**
 * @param {import("./store.js").Store} store
 * @param {import("./types.js").Config["urls"]} urls
 * @param {object} parts
 * @param {(url: string, body: object) => Promise<any>} parts.request
 * @param {() => number} parts.now
 * @param {() => void} parts.changed
 * @param {(failure: {action: Action, ids: number[], retry: () => Promise<boolean>}, error: any) => void} parts.failed
 */
export function createActions(store, urls, { request, now, changed, failed }) {
  /** The last request per item: two of one item must not overtake each other. @type {Map<number | Action, Promise<any>>} */
  const queue = new Map();

  /**
   * @param {Action} action
   * @param {number[]} ids
   * @param {number | Action} key of the queue
   * @param {string} url
   * @param {object} body
   * @param {() => Promise<boolean>} retry
   */
  const run = async (action, ids, key, url, body, retry) => {
    /** @type {("unread" | "unseen")[]} */
    const emptied = typeof key === "number" ? [] : action === "seen" ? ["unseen"] : ["unread", "unseen"];
    const wish = store.wish(change(action, new Date(now()).toISOString()), ids, emptied);
    changed();
    const before = queue.get(key);
    const sent = before ? before.then(() => request(url, body)) : request(url, body);
    const turn = sent.catch(() => {});
    queue.set(key, turn);
    try {
      await sent;
      store.settle(wish);
    } catch (error) {
      store.cancel(wish);
      failed({ action, ids, retry }, error);
      return false;
    } finally {
      if (queue.get(key) === turn) queue.delete(key);
      changed();
    }
    return true;
  };

  const self = {
    /** @param {Action} action @param {number | Iterable<number>} which @returns {Promise<boolean>} whether the server confirmed all */
    async items(action, which) {
      const ids = typeof which === "number" ? [which] : [...which];
      const url = urls.item.replace("{action}", action);
      const done = await Promise.all(ids.map((id) =>
        run(action, [id], id, url.replace("{id}", `${id}`), {}, () => self.items(action, id))));
      return done.every(Boolean);
    },

    /** Do it with all that this tab knows of, and what else had arrived by then. @param {"read-all" | "seen"} action @returns {Promise<boolean>} */
    all(action) {
      const seen = action === "seen";
      const ids = store.items.filter((item) => !item.archived_at && !item.read_at && !(seen && item.seen_at)).map(({ id }) => id);
      return run(action, ids, action, seen ? urls.seen : urls.readAll, { up_to: store.top }, () => self.all(action));
    },
  };
  return self;
}
