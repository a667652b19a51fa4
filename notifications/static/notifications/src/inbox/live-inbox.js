/** The inbox of this tab, kept right: frames come in, holes are filled, and what has changed is rendered once per frame. */

import { Connection } from "../core/connection.js";
import { PageClient } from "../core/page-client.js";
import { Expiry } from "./expiry.js";
import { Feed } from "./feed.js";
import { Store } from "./store.js";
import { countInTitle } from "./title.js";
import { transports } from "./transports.js";

/** @typedef {import("./types.js").Config} Config */
/** @typedef {import("./types.js").Item} Item */

const ARRIVALS = 20; // items of one event; its `total` counts all

/** @extends {PageClient<Config, import("./types.js").Events>} */
export class LiveInbox extends PageClient {
  /** What carries it, and more. @internal */
  link;
  #expiry;
  /** @type {Map<string, Feed>} */
  #feeds = new Map();
  /** What came since the last rendering. @type {Item[]} */
  #arrivals = [];
  #total = 0;
  #catchingUp = false;

  /** A page that was loaded later runs another version: a deploy happened. */
  outdated = false;

  /** @internal @param {Config} config */
  constructor(config) {
    super(config);
    const { env } = this;
    const born = env.now();
    /** @internal */
    this.store = new Store(config, () => this.now());
    this.#expiry = new Expiry(this);
    if (env.document && config.title !== false) countInTitle(this, env.document);
    this.link = new Connection(config, env, this.ended, {
      name: config.urls.changes,
      transports: transports(config, env),
      cursor: () => this.store.cursor,
      offset: () => this.offset,
      onFrame: (frame) => this.#apply(frame),
      onState: (state, before) => {
        if (state.name === "signed-out" && before.name !== state.name) {
          if (state.reason === "login-page")
            this.#hide(); // the site may be in maintenance: what is written is kept
          else this.forget();
        }
        this.emit("state", { ...state, from: before.name, to: state.name });
        this.changed();
      },
      onMessage: ({ type, version, born: theirs }) => {
        if (type === "seen") this.emit(type);
        if (version === config.version || theirs <= born || this.outdated) return;
        this.outdated = true;
        this.changed();
      },
    });
  }

  /** The connection, as this tab knows it. @returns {Readonly<import("./types.js").State>} */
  get state() {
    return this.link.state;
  }

  /** Whether this tab holds the connection for the others. @returns {boolean} */
  get leading() {
    return this.link.leading;
  }

  /** The numbers for a badge. @returns {import("./types.js").Counts} */
  get counts() {
    return this.store.counts;
  }

  /** Connect, and stay connected until `stop()`. */
  start() {
    this.hold(this);
  }

  /** Disconnect, whoever wants the connection. */
  stop() {
    this.holders.clear();
    this.link.close();
  }

  /** Try now, whatever the state. */
  retryNow() {
    if (this.holders.any) this.link.retry();
  }

  /** @internal @param {string} reason */
  signOut(reason) {
    this.link.signOut(reason);
  }

  /** Show nothing of the user any more. @internal */
  forget() {
    this.#hide();
    super.forget();
    const detail = { user: this.config.user };
    this.env.window?.dispatchEvent(new CustomEvent("carillon-signed-out", { detail })); // the chat is another bundle
  }

  /**
   * A list of items; the same object for the same filter. Each search is another one, and only the last is kept right.
   *
   * @param {Partial<import("./types.js").Listed>} [filter]
   * @returns {Feed}
   */
  feed({ state = "all", category = "", kind = "", q = "" } = {}) {
    const key = q ? "?" : `${state} ${category} ${kind}`;
    const feed = (!q && this.#feeds.get(key)) || new Feed(this, { state, category, kind, q });
    this.#feeds.set(key, feed);
    return feed;
  }

  /** Connect, unless that was tried already. @internal */
  open() {
    if (this.state.reason === "stopped") this.link.open();
  }

  /** Tell what has changed. @internal */
  render() {
    const items = this.#arrivals;
    const total = this.#total;
    this.#arrivals = [];
    this.#total = 0;
    if (total) this.emit("notification", { items, total });
    super.render();
    this.#expiry.wait();
  }

  #hide() {
    this.store.clear();
    for (const feed of this.#feeds.values()) feed.clear();
    this.#arrivals = [];
    this.#total = 0;
  }

  /** @param {any} frame */
  #apply(frame) {
    this.setClock(frame);
    const { hole, reset, arrivals = [], grown = [] } = this.store.apply(frame);
    if (reset) for (const feed of this.#feeds.values()) feed.reset();
    if (hole) this.#catchUp();
    this.#total += arrivals.length;
    this.#arrivals = [...this.#arrivals, ...arrivals].slice(-ARRIVALS);
    if (grown.length) this.emit("grown", { items: grown });
    this.changed();
  }

  /** Fill a hole: ask for what happened since the cursor, one question at a time. */
  async #catchUp() {
    if (this.#catchingUp) return;
    this.#catchingUp = true;
    const { cursor, resets } = this.store;
    try {
      const { frames } = await this.ask(`${this.config.urls.changes}?since=${cursor}`);
      if (resets !== this.store.resets) return; // a snapshot came meanwhile, or the user signed out
      for (const frame of frames) if (frame.type !== "heartbeat") this.#apply(frame);
    } catch {
      // The next frame or heartbeat notices the hole again.
    } finally {
      this.#catchingUp = false;
    }
  }
}
