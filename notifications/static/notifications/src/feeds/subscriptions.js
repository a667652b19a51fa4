/**
 * What the leading tab has the server send: the feeds in the address of a new connection, and those that it adds to an
 * open one, or takes away, by a request. Such a request may reach a process that cannot reach the one that holds the
 * connection; then nothing confirms it, and a new connection, with all of them in its address, does.
 */

const SETTLE = 50; // ms; a page's elements come and go together
const LINGER = 10_000; // ms that a feed is followed after the last tab has let it go
const CONFIRM = 2_000; // ms for the connection to say that it follows a feed, and twice as many each time it does not
const CONFIRM_MAX = 60_000; // ms
const ROUND = 60_000; // ms between asking the tabs what they want
const ADDRESS = 1_500; // characters of feeds' names in an address, and
const ADDRESS_ALONE = 6_000; // where no request can add the others
const REQUEST = 50; // feeds that one request names: a request has 16 KiB

const LIVE = { state: "live", message: "" };

/** @param {import("../core/connection.js").Connection} link */
const isOpen = ({ state }) => /live|polling|stale/.test(state.name);

/** @typedef {{state: string, message: string}} Status what the server has said: an empty state where it has not yet */

export class Subscriptions {
  #page;
  #url;
  #wishes;
  #distribute;
  /** @type {Map<string, Status>} */
  #asked = new Map();
  /** Since when nobody wants them any more. @type {Map<string, number>} */
  #idle = new Map();
  #patience = CONFIRM;
  /** @type {Record<string, any>} */
  #timers = {};

  /**
   * @param {import("./types.js").PageConnection} page
   * @param {string} url of the request; empty for a page that may not make one
   * @param {import("./wishes.js").Wishes} wishes
   * @param {(frame: object) => void} distribute tell this tab and the others
   */
  constructor(page, url, wishes, distribute) {
    this.#page = page;
    this.#url = url;
    this.#wishes = wishes;
    this.#distribute = distribute;
  }

  /** A connection is being opened: what is added to its address. @param {string} transport */
  query(transport) {
    const { link } = this.#page;
    const polls = transport === "poll";
    const before = this.#asked;
    const names = [];
    let room = this.#url && !polls ? ADDRESS : ADDRESS_ALONE;
    link.name = "";
    this.#asked = new Map();
    this.#idle.clear();
    this.#after("confirm", 0);
    this.#wishes.ask();
    for (const name of this.#wishes.names) {
      const known = before.get(name);
      room -= name.length + 1;
      if (polls && known?.state && known.state !== "live") this.#asked.set(name, known);
      else if (transport !== "socket" && room >= 0) {
        names.push(name);
        this.#asked.set(name, { state: "", message: "" });
      }
    }
    return names.length ? `?${new URLSearchParams({ feeds: names.join(), ids: "each" })}` : "";
  }

  /** @param {any} frame of the connection */
  heard({ type, feed, state, message }) {
    const { link } = this.#page;
    if (type === "hello") {
      if (!link.name) for (const [name, known] of this.#asked) this.#tell(name, known.state ? known : LIVE); // polls
      this.#await();
      this.#round();
      this.changed();
    } else if (type === "feed.status") {
      this.#asked.set(feed, { state, message });
      this.#patience = CONFIRM;
      if (state !== "live" && !link.name) this.#reopen(); // else each poll says it again
    }
  }

  /** What is known of feeds: name, state, message, position. @param {string[]} names */
  known(names) {
    return names.flatMap((name) => {
      const { state = "", message = "" } = this.#asked.get(name) ?? {};
      return state ? [[name, state, message, this.#wishes.since(name)]] : [];
    });
  }

  /** Have the connection opened anew, with all that is wanted in its address: it goes on from the cursor. */
  #reopen() {
    const { link } = this.#page;
    // As if it had been open for long enough, which is no failure.
    if (isOpen(link)) link.send({ type: "ended", reason: "max-age" });
  }

  /** Somebody wants other feeds than before. */
  changed() {
    if (this.#page.link.leading) this.#after("sync", SETTLE, () => this.#sync());
  }

  #sync() {
    const { link, env } = this.#page;
    if (!link.leading || !isOpen(link)) return; // `hello` comes here again
    const wanted = this.#wishes.names;
    const now = env.now();
    for (const name of this.#asked.keys()) {
      if (wanted.has(name)) this.#idle.delete(name);
      else if (!this.#idle.has(name)) this.#idle.set(name, now);
    }
    const gone = [...this.#idle.keys()].filter((name) => (this.#idle.get(name) ?? now) <= now - LINGER);
    const fresh = [...wanted].filter((name) => !this.#asked.has(name));
    for (const name of gone) {
      this.#idle.delete(name);
      this.#asked.delete(name);
    }
    this.#wishes.forget(gone);
    if (this.#idle.size) this.#after("sync", Math.min(...this.#idle.values()) + LINGER - now, () => this.#sync());
    if (!fresh.length && !gone.length) return;
    if (link.name && this.#url) this.#request(fresh, gone);
    else this.#reopen();
  }

  /** @param {string[]} fresh @param {string[]} gone */
  async #request(fresh, gone) {
    const part = fresh.slice(0, REQUEST);
    for (const name of part) this.#asked.set(name, { state: "", message: "" });
    if (part.length < fresh.length) this.changed();
    const follow = Object.fromEntries(part.map((name) => [name, this.#wishes.since(name)]));
    const connection = this.#page.link.name;
    this.#await();
    try {
      const { feeds } = await this.#page.ask(this.#url, { connection, follow, unfollow: gone.slice(0, REQUEST) });
      if (connection !== this.#page.link.name) return;
      for (const [feed, { state, message }] of Object.entries(feeds)) {
        if (state !== "live") this.#tell(feed, { state, message }); // the connection itself says when it is live
      }
    } catch {
      // Nothing confirms it either.
    }
  }

  /** What is not confirmed in time is asked for in another way. */
  #await() {
    this.#after("confirm", this.#patience, () => {
      const open = [...this.#asked].filter(([, { state }]) => !state);
      if (!open.length) return;
      this.#patience = Math.min(this.#patience * 2, CONFIRM_MAX);
      for (const [name] of open) this.#asked.delete(name);
      if (this.#page.link.state.transport === "socket") this.changed();
      else this.#reopen();
    });
  }

  #round() {
    this.#after("round", ROUND, () => {
      if (!this.#page.link.leading) return;
      this.#wishes.ask();
      this.#round();
      this.changed();
    });
  }

  /** Say how a feed is, as the connection would. @param {string} feed @param {Status} status */
  #tell(feed, { state, message }) {
    this.#asked.set(feed, { state, message });
    this.#distribute({ type: "feed.status", feed, state, message });
  }

  /** Set a timer, in the place of its predecessor. @param {string} name @param {number} time @param {() => void} [act] */
  #after(name, time, act) {
    const { setTimeout, clearTimeout } = this.#page.env;
    clearTimeout(this.#timers[name]);
    if (act) this.#timers[name] = setTimeout(act, time);
  }
}
