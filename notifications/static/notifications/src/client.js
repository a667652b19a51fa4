/** The client: one connection per browser, one store per tab, and what people and elements do with them. */

import { Actions } from "./actions.js";
import { Alerts, appBadge } from "./alerts.js";
import { api } from "./api.js";
import { Emitter } from "./emitter.js";
import { environment } from "./env.js";
import { Feed } from "./feed.js";
import { Link } from "./link.js";
import { watchPage } from "./page.js";
import { Store } from "./store.js";
import { Tabs } from "./tabs.js";
import { titleCounter } from "./title.js";
import { transports } from "./transports/index.js";

const LINGER = 5_000; // ms the connection outlives its last holder: elements are moved and swapped
const HIDDEN = 30_000; // ms after which a hidden tab without Web Locks lets go of its own connection
const ARRIVALS = 20; // items of one `notification` event; its `total` counts all

/** @typedef {import("./types.js").Item} Item */

/** @typedef {import("./state.js").Snapshot} Snapshot */

/** @type {Snapshot} */
const IDLE = Object.freeze({ name: "closed", reason: "stopped", attempt: 0, nextTryAt: null, troubledSince: null, transport: "" });

export class Client extends Emitter {
  #env;
  #store;
  #link;
  #tabs;
  #request;
  #actions;
  #unwatch;
  #title;
  /** @type {Map<string, Feed>} */
  #feeds = new Map();
  /** @type {Set<object>} */
  #holders = new Set();
  #self = {}; // the holder of `start()`
  #stopped = false;
  #asleep = false;
  /** @type {any} */
  #linger;
  /** @type {any} */
  #hiding;
  /** @type {any} */
  #expiry;
  /** @type {Promise<void> | undefined} */
  #catching;
  #dirty = false;
  /** @type {Item[]} */
  #arrivals = [];
  #total = 0;

  /** The connection, as this tab tells of it. @type {Snapshot} */
  state = IDLE;
  /** A page that was loaded later runs another version: a deploy happened. */
  outdated = false;

  /** @param {import("./types.js").Config} config */
  constructor(config) {
    super();
    this.config = Object.freeze(config);
    const env = (this.#env = environment(config.env));
    this.#store = new Store(config);
    this.alerts = new Alerts(config, env);
    this.#title = config.title === false ? () => {} : titleCounter(env.document);
    this.#request = api(config, env);
    this.#link = new Link({
      transports: transports(config, env),
      cursor: () => this.#store.cursor,
      onFrame: (frame) => {
        this.#apply(frame);
        if (env.locks) this.#tabs.post("frame", { frame });
      },
      onState: () => this.#tabs.leading && this.#tell(),
    }, env);
    this.#tabs = new Tabs(config, env, {
      onLead: (leading) => {
        if (leading) this.#link.send({ type: "start" });
        else if (!this.#asleep) this.#link.send({ type: "stop" });
      },
      onMessage: (message) => this.#hear(message),
      onOtherUser: (newer) => newer && this.#signOut("other-user"),
    });
    this.#actions = new Actions({
      store: this.#store, request: this.#request, config, now: env.now, text: this.text, changed: this.#changed,
      failed: (failure, reason) => {
        if (reason === "signed-out" || reason === "login-page") this.#signOut(reason);
        this.emit("failure", failure);
      },
    });
    this.#unwatch = watchPage(env, {
      suspend: () => this.#suspend("hidden"),
      awaken: () => this.#awaken(),
      visibility: () => this.#visibility(),
      online: (online) => this.#link.send({ type: online ? "online" : "offline" }),
    });
  }

  get leading() {
    return this.#tabs.leading;
  }

  get counts() {
    return this.#store.counts;
  }

  /** Want the connection until the returned function is called. @returns {() => void} */
  hold() {
    const holder = {};
    this.#hold(holder);
    return () => {
      this.#holders.delete(holder);
      if (this.#holders.size) return;
      this.#env.clearTimeout(this.#linger);
      this.#linger = this.#env.setTimeout(() => this.#holders.size || this.#close(), LINGER);
    };
  }

  start() {
    this.#stopped = false;
    this.#hold(this.#self);
    if (this.state === IDLE) this.#open();
  }

  stop() {
    this.#stopped = true;
    this.#holders.delete(this.#self);
    this.#close();
  }

  /** Try now, whatever the state; any tab may ask. */
  retryNow() {
    if (this.#stopped || !this.#holders.size) return;
    if (this.state.name === "signed-out") return this.#open();
    if (this.leading) this.#link.send({ type: "retry" });
    else this.#tabs.post("retry");
  }

  destroy() {
    this.stop();
    this.#unwatch();
    this.#tabs.close();
    this.#env.clearTimeout(this.#expiry);
    this.#env.clearTimeout(this.#linger);
  }

  /**
   * @param {{state?: import("./types.js").Filter, category?: string}} [filter]
   * @returns {Feed} the same object for the same filter
   */
  feed({ state = "all", category = "" } = {}) {
    const key = `${state} ${category}`;
    const feed = this.#feeds.get(key) ?? new Feed(this.#store, { state, category }, {
      changed: this.#changed,
      now: this.#env.now,
      fetch: (query) => this.#page(query),
    });
    this.#feeds.set(key, feed);
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
    this.#tabs.post("seen");
    return this.#actions.all("seen");
  }

  /** A sentence in the page's language. @param {string} key @param {string} fallback */
  text = (key, fallback) => this.config.strings?.[key] ?? fallback;

  /** @param {object} holder */
  #hold(holder) {
    this.#env.clearTimeout(this.#linger);
    const first = !this.#holders.size;
    this.#holders.add(holder);
    if (first && !this.#stopped && this.state === IDLE) this.#open();
  }

  #open() {
    this.#asleep = false;
    this.#show({ ...IDLE, name: "connecting", reason: "start", troubledSince: this.#env.now() });
    this.#tabs.contend();
  }

  #close() {
    this.#tabs.release();
    this.#show(IDLE);
  }

  /** @param {string} reason */
  #suspend(reason) {
    if (["closed", "signed-out", "paused"].includes(this.state.name)) return;
    this.#asleep = true;
    this.#link.send({ type: "pause", reason });
    this.#tabs.release();
    this.#show({ ...IDLE, name: "paused", reason });
  }

  #awaken() {
    if (this.state.name === "paused") this.#open();
    else this.#link.send({ type: "wake" });
  }

  #visibility() {
    const { locks, setTimeout, clearTimeout } = this.#env;
    clearTimeout(this.#hiding);
    if (this.#tabs.visible) this.#awaken();
    else if (!locks) this.#hiding = setTimeout(() => this.#suspend("hidden"), HIDDEN);
    if (this.leading) this.#tell();
    if (!["closed", "signed-out", "paused"].includes(this.state.name)) this.#tabs.look();
    this.#changed();
  }

  /** The leader's word on the connection, for this tab and the others. */
  #tell() {
    const { state } = this.#link;
    this.#tabs.post("state", { state, cursor: this.#store.cursor, hidden: !this.#tabs.visible });
    if (state.name === "signed-out") this.#signOut(state.reason);
    else this.#show(state);
  }

  /** @param {import("./tabs.js").Message} message */
  #hear({ type, frame, state, cursor, reason, version, born }) {
    if (version !== this.config.version && born > this.#tabs.born && !this.outdated) {
      this.outdated = true;
      this.#changed();
    }
    if (type === "signed-out") return this.#signOut(reason, true);
    if (type === "seen") return this.emit("seen");
    if (this.leading) {
      if (type === "hi") this.#tell();
      if (type === "retry") this.retryNow();
      return;
    }
    if (["closed", "paused"].includes(this.state.name) && this.state.transport === "") return;
    if (type === "frame") this.#apply(frame);
    if (type !== "state" || !this.#env.locks) return;
    if (this.state.name === "signed-out") {
      if (state.name === "live" || state.name === "polling") this.#open(); // someone signed in again
      return;
    }
    this.#show(state);
    this.#apply({ type: "heartbeat", head: cursor });
  }

  /** @param {string} reason @param {boolean} [told] by another tab */
  #signOut(reason, told) {
    if (this.state === IDLE || this.state.name === "signed-out") return;
    if (!told && reason !== "other-user") this.#tabs.post("signed-out", { reason });
    this.#show({ ...IDLE, name: "signed-out", reason });
    this.#tabs.release(); // so that a page that signs in again leads
  }

  /** @param {Snapshot} next */
  #show(next) {
    const before = this.state;
    this.state = Object.freeze(next);
    const same = Object.keys(next).every((key) => next[/** @type {"name"} */ (key)] === before[/** @type {"name"} */ (key)]);
    if (same) return;
    this.emit("state", { ...next, from: before.name, to: next.name });
    this.#changed();
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

  /** Fill a hole: ask for what happened since the cursor. One question at a time. */
  #catchUp() {
    this.#catching ??= this.#request(`${this.config.urls.changes}?since=${encodeURIComponent(this.#store.cursor)}&wait=0`)
      .then(({ frames }) => {
        this.#catching = undefined;
        for (const frame of frames) if (frame.type !== "heartbeat") this.#apply(frame);
      })
      .catch(() => (this.#catching = undefined)); // the next frame or heartbeat notices the hole again
  }

  /** @param {Record<string, string>} query */
  async #page(query) {
    try {
      return await this.#request(`${this.config.urls.inbox}?${new URLSearchParams(query)}`);
    } catch (error) {
      const { reason } = /** @type {import("./api.js").Refusal} */ (error);
      if (reason === "signed-out" || reason === "login-page") this.#signOut(reason);
      throw new Error(this.text("couldNotLoad", "Could not load notifications."));
    }
  }

  /** Ask for one rendering before the next painting, however much happens until then. */
  #changed = () => {
    if (this.#dirty) return;
    this.#dirty = true;
    this.#env.frame(() => this.#render());
  };

  #render() {
    this.#dirty = false;
    const { now, setTimeout, clearTimeout } = this.#env;
    const { unseen } = this.counts;
    this.#title(unseen);
    if (this.leading) appBadge(unseen);
    if (this.#total) {
      const [items, total] = [this.#arrivals, this.#total];
      this.#arrivals = [];
      this.#total = 0;
      this.emit("notification", { items, total });
      if (this.leading) this.#tabs.anyVisible().then((seen) => seen || this.alerts.ring(items));
    }
    this.emit("change");
    const until = Math.min(...[...this.#feeds.values()].map((feed) => feed.until));
    clearTimeout(this.#expiry);
    if (until < Infinity) this.#expiry = setTimeout(this.#changed, Math.min(Math.max(0, until - now()), 2 ** 31 - 1));
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
