/** The client: one connection per browser, one store per tab, and what people and elements do with them. */

import { Actions } from "./actions.js";
import { Connection } from "./connection.js";
import { Emitter } from "./emitter.js";
import { environment } from "./env.js";
import { Feed } from "./feed.js";
import { requester } from "./request.js";
import { Store } from "./store.js";
import { titleCounter } from "./title.js";

const LINGER = 5_000; // ms the connection outlives its last holder: elements are moved and swapped
const ARRIVALS = 20; // items of one `notification` event; its `total` counts all
const FARTHEST = 2 ** 31 - 1; // ms; browsers call a longer timer at once

/** @typedef {import("./types.js").Item} Item */

const VERBS = { read: "mark as read", unread: "mark as unread", archive: "archive", unarchive: "move back to inbox",
  "read-all": "mark all as read", seen: "mark as seen" };

/** Called with each new client: what a bundle adds to the core. @type {((client: Client) => void)[]} */
export const extensions = [];

export class Client extends Emitter {
  #store;
  #connection;
  #request;
  #actions;
  /** @type {((count: number) => void) | undefined} */
  #title;
  /** @type {Map<string, Feed>} */
  #feeds = new Map();
  #holders = new Set();
  /** @type {any} */
  #linger;
  /** @type {any} */
  #expiry;
  /** @type {Promise<void> | undefined} */
  #catching;
  #dirty = false;
  /** @type {Item[]} */
  #arrivals = [];
  #total = 0;

  /** A page that was loaded later runs another version: a deploy happened. */
  outdated = false;
  /** Sound and desktop notifications, in the bundle that has them. @type {import("./alerts.js").Alerts | undefined} */
  alerts;

  /** @param {import("./types.js").Config} config */
  constructor(config) {
    super();
    this.config = Object.freeze(config);
    this.env = environment(config.env);
    const { now, document } = this.env;
    const born = now();
    this.#store = new Store(config);
    if (document && config.title !== false) this.#title = titleCounter(document);
    this.#request = requester(config, this.env);
    this.#connection = new Connection(config, this.env, {
      cursor: () => this.#store.cursor,
      onFrame: (frame) => this.#apply(frame),
      onState: (state, before) => {
        this.emit("state", { ...state, from: before.name, to: state.name });
        this.#changed();
      },
      onMessage: (message) => {
        if (message.type === "seen") this.emit("seen");
        if (message.version !== config.version && message.born > born) this.outdated = true;
        this.#changed();
      },
    });
    this.#actions = new Actions({
      store: this.#store, request: this.#request, urls: config.urls, now, changed: this.#changed,
      failed: (failure, error) => {
        const key = "couldNot" + `-${failure.action}`.replace(/-./g, (part) => part[1].toUpperCase());
        this.#refused(error);
        this.emit("failure", { ...failure, message: this.text(key, `Could not ${VERBS[failure.action]}.`) });
      },
    });
    for (const extend of extensions) extend(this);
  }

  get state() {
    return this.#connection.state;
  }

  get leading() {
    return this.#connection.leading;
  }

  get counts() {
    return this.#store.counts;
  }

  /** Want the connection, until the returned function is called. @returns {() => void} */
  hold() {
    const holder = {};
    this.#hold(holder);
    return () => {
      if (!this.#holders.delete(holder) || this.#holders.size) return;
      this.#linger = this.env.setTimeout(() => this.stop(), LINGER);
    };
  }

  start() {
    this.#hold(this);
  }

  stop() {
    this.env.clearTimeout(this.#linger);
    this.#holders.clear();
    this.#connection.close();
  }

  /** Try now, whatever the state. */
  retryNow() {
    if (this.#holders.size) this.#connection.retry();
  }

  destroy() {
    this.stop();
    this.#connection.destroy();
    this.env.clearTimeout(this.#expiry);
  }

  /**
   * @param {{state?: import("./types.js").Filter, category?: string}} [filter]
   * @returns {Feed} the same object for the same filter
   */
  feed({ state = "all", category = "" } = {}) {
    const key = `${state} ${category}`;
    let feed = this.#feeds.get(key);
    if (!feed) {
      feed = new Feed(this.#store, { state, category }, { now: this.env.now, changed: this.#changed, fetch: (query) => this.#page(query) });
      this.#feeds.set(key, feed);
    }
    return feed;
  }

  /** @param {number | Iterable<number>} ids */
  markRead(ids) {
    return this.#actions.items("read", ids);
  }

  /** @param {number | Iterable<number>} ids */
  markUnread(ids) {
    return this.#actions.items("unread", ids);
  }

  /** @param {number | Iterable<number>} ids */
  archive(ids) {
    return this.#actions.items("archive", ids);
  }

  /** @param {number | Iterable<number>} ids */
  unarchive(ids) {
    return this.#actions.items("unarchive", ids);
  }

  markAllRead() {
    return this.#actions.all("read-all");
  }

  async markSeen() {
    if (!this.counts.unseen) return true;
    this.#connection.post("seen");
    return this.#actions.all("seen");
  }

  /** A sentence in the page's language. @param {string} key @param {string} fallback */
  text(key, fallback) {
    return this.config.strings?.[key] ?? fallback;
  }

  /** @param {object} holder */
  #hold(holder) {
    this.env.clearTimeout(this.#linger);
    this.#holders.add(holder);
    if (this.state.reason === "stopped") this.#connection.open();
  }

  /** @param {any} frame */
  #apply(frame) {
    const { hole, reset, arrivals } = this.#store.apply(frame);
    this.#total += arrivals.length;
    this.#arrivals = [...this.#arrivals, ...arrivals].slice(-ARRIVALS);
    if (reset) for (const feed of this.#feeds.values()) feed.reset();
    if (hole) this.#catchUp();
    this.#changed();
  }

  /** Fill a hole: ask for what happened since the cursor, one question at a time. */
  async #catchUp() {
    if (this.#catching) return;
    try {
      this.#catching = this.#request(`${this.config.urls.changes}?since=${encodeURIComponent(this.#store.cursor)}`);
      const { frames } = /** @type {any} */ (await this.#catching);
      for (const frame of frames) if (frame.type !== "heartbeat") this.#apply(frame);
    } catch (error) {
      this.#refused(error); // the next frame or heartbeat notices the hole again
    } finally {
      this.#catching = undefined;
    }
  }

  /** @param {Record<string, string>} query */
  async #page(query) {
    try {
      return await this.#request(`${this.config.urls.inbox}?${new URLSearchParams(query)}`);
    } catch (error) {
      this.#refused(error);
      throw new Error(this.text("couldNotLoad", "Could not load notifications."));
    }
  }

  /** @param {any} error */
  #refused({ reason }) {
    if (reason === "signed-out" || reason === "login-page") this.#connection.signOut(reason);
  }

  /** Ask for one rendering before the next painting, however much happens until then. */
  #changed = () => {
    if (this.#dirty) return;
    this.#dirty = true;
    this.env.frame(() => this.#render());
  };

  #render() {
    this.#dirty = false;
    const [items, total] = [this.#arrivals, this.#total];
    this.#arrivals = [];
    this.#total = 0;
    this.#title?.(this.counts.unseen);
    if (total) this.emit("notification", { items, total });
    this.emit("change");
    const { clearTimeout, setTimeout, now } = this.env;
    const until = Math.min(...[...this.#feeds.values()].map((feed) => feed.until));
    clearTimeout(this.#expiry);
    if (until < Infinity) this.#expiry = setTimeout(this.#changed, Math.min(until - now(), FARTHEST));
  }
}

/**
 * Make a client for this page; it connects when something holds it, or at `start()`.
 *
 * @param {import("./types.js").Config} config
 * @returns {Client}
 */
export function createClient(config) {
  return new Client(config);
}
