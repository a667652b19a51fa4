/** The client: what people do with their notifications is shown at once, and taken back if the server says no. */

import { confirmUpdate } from "../core/optimistic.js";
import { LiveInbox } from "./live-inbox.js";
import { seen } from "./seen.js";
import { adds, COUNTED } from "./states.js";

/** @typedef {number | Iterable<number>} Ids */
/** @typedef {import("./types.js").Action} Action */

const BULK = 1_000; // items of one request

/** Actions that are about what the user has seen of an item: they leave alone what it has grown by since. */
const SEEN = /^(read|click|archive|snooze)$/;

/** The counts that an action empties. */
const EMPTIED = { "read-all": COUNTED, seen: /** @type {const} */ (["unseen"]) };

/** Called with each new client: what a bundle adds to the core. @type {((client: Client) => void)[]} */
export const extensions = [];

/**
 * Make a client of your own; it connects when something holds it, or at `start()`.
 *
 * @param {import("./types.js").Config} config
 * @returns {Client}
 */
export function createClient(config) {
  const client = new Client(config);
  for (const extend of extensions) extend(client);
  return client;
}

export class Client extends LiveInbox {
  /** The last request per item: two of one item must not overtake each other. @type {Map<number | Action, Promise<any>>} */
  #queue = new Map();
  /** What is on its way. @type {Set<{url: string, body: object}>} */
  #pending = new Set();

  /** Sound and desktop notifications; absent in `bell.js`. @type {import("./alerts.js").Alerts | undefined} */
  alerts;

  /** @internal @param {import("./types.js").Config} config */
  constructor(config) {
    super(config);
    this.env.window?.addEventListener("pagehide", () => this.#leave(), { signal: this.ended });
  }

  /** Mark as read. @param {Ids} ids @returns {Promise<boolean>} whether the server confirmed all */
  markRead(ids) {
    return this.each("read", ids);
  }

  /** Remember that the link was followed, which reads too. @param {Ids} ids @returns {Promise<boolean>} as above */
  follow(ids) {
    return this.each("click", ids);
  }

  /** Mark as unread. @param {Ids} ids @returns {Promise<boolean>} as above */
  markUnread(ids) {
    return this.each("unread", ids);
  }

  /** Move out of the inbox. @param {Ids} ids @returns {Promise<boolean>} as above */
  archive(ids) {
    return this.each("archive", ids);
  }

  /** Move back into the inbox. @param {Ids} ids @returns {Promise<boolean>} as above */
  unarchive(ids) {
    return this.each("unarchive", ids);
  }

  /** Mark as read all that had arrived when the user asked for it. @returns {Promise<boolean>} as above */
  markAllRead() {
    return this.#all("read-all");
  }

  /** Mark as seen all that had arrived; costs nothing if everything is. @returns {Promise<boolean>} as above */
  async markSeen() {
    if (!this.counts.unseen) return true;
    this.link.post("seen");
    return this.#all("seen");
  }

  /** What the user has seen of items, as `seen` says. @internal @param {number[]} ids */
  seen(ids) {
    return seen(this.store, ids);
  }

  /**
   * Do something with items.
   *
   * @internal
   * @param {Action} action
   * @param {Ids} which
   * @param {Partial<import("./types.js").Item>} [change] where the action does not say how they look
   * @param {object} [more] what the request carries beside
   * @param {(answer: any) => void} [taken] the server confirmed it, or a part of it
   * @returns {Promise<boolean>}
   */
  async each(action, which, change, more, taken) {
    const ids = typeof which === "number" ? [which] : [...new Set(which)];
    const parts = this.seen(ids).flatMap(({ some, up_to }) =>
      Array.from({ length: Math.ceil(some.length / BULK) }, (_, part) => ({
        some: some.slice(part * BULK, (part + 1) * BULK),
        seen: SEEN.test(action) ? { up_to } : {},
      })),
    );
    const { item, bulk } = this.config.urls;
    const done = await Promise.all(
      parts.map(({ some, seen }) => {
        const url = some.length > 1 ? bulk : item.replace("{action}", action).replace("{id}", `${some[0]}`);
        const body = { ...seen, ...more, ...(some.length > 1 && { action, ids: some }) };
        return this.act(
          action,
          some,
          some,
          url,
          body,
          () => this.each(action, some, change, more, taken),
          change,
          taken,
        );
      }),
    );
    return done.every(Boolean);
  }

  /** Do it with all that this tab knows of, and what else had arrived by then. @param {"read-all" | "seen"} action @returns {Promise<boolean>} */
  #all(action) {
    const { store, config } = this;
    const seen = action === "seen";
    const items = store.items.filter((item) => adds(item, seen ? "unseen" : "unread"));
    const ids = items.map(({ id }) => id);
    const url = seen ? config.urls.seen : config.urls.readAll;
    return this.act(action, ids, [action], url, { up_to: store.top }, () => this.#all(action));
  }

  /**
   * Show a change, ask for it, and take it back if it is refused.
   *
   * @internal
   * @param {Action} action
   * @param {number[]} ids
   * @param {(number | Action)[]} keys of the queue
   * @param {string} url
   * @param {object} body
   * @param {() => Promise<any>} retry
   * @param {Partial<import("./types.js").Item>} [change]
   * @param {(answer: any) => void} [taken] the server confirmed it
   */
  act(action, ids, keys, url, body, retry, change = changeOf(action, new Date(this.now()).toISOString()), taken) {
    const { store } = this;
    const update = store.optimisticUpdate(change, ids, EMPTIED[/** @type {"seen"} */ (action)]);
    return confirmUpdate(() => this.#send(keys, url, body, action === "click").then(taken), {
      changed: () => this.changed(),
      settle: () => store.settle(update),
      cancel: (error) => {
        store.cancel(update);
        const key = `couldNot-${action}`.replace(/-./g, (part) => part[1].toUpperCase());
        this.emit("failure", { action, ids, retry, message: this.explain(key, error) });
      },
    });
  }

  /** Send it after what was sent before under the same keys. @param {(number | Action)[]} keys @param {string} url @param {object} body @param {boolean} leaving */
  async #send(keys, url, body, leaving) {
    const request = { url, body };
    const send = () => this.ask(url, body, leaving);
    const before = keys.flatMap((key) => this.#queue.get(key) ?? []);
    this.#pending.add(request);
    const sent = before.length ? Promise.all(before).then(send) : send();
    const turn = sent.catch(() => {});
    for (const key of keys) this.#queue.set(key, turn);
    await turn;
    this.#pending.delete(request);
    for (const key of keys) if (this.#queue.get(key) === turn) this.#queue.delete(key);
    return sent;
  }

  /** The page goes: what is on its way is sent once more, to outlive it. Twice does no harm. */
  #leave() {
    for (const { url, body } of this.#pending) this.ask(url, body, true).catch(() => {});
  }
}

/** @param {Action} action @param {string} now @returns {Partial<import("./types.js").Item>} */
function changeOf(action, now) {
  if (action === "unread") return { read_at: null };
  if (action === "seen") return { seen_at: now };
  if (/archive/.test(action)) return { archived_at: action === "archive" ? now : null };
  return { read_at: now, seen_at: now };
}
