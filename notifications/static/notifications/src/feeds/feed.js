/**
 * What this tab knows of one feed: its position, and its newest events.
 *
 * It is idempotent, as the inbox is: an event counts if its version is newer. A hole is noticed (`apply` says so), and
 * whoever applies asks the server again from the cursor.
 */

import { report } from "../core/browser.js";
import { at } from "../core/cursor.js";

/** @typedef {import("./types.js").FeedEvent} FeedEvent */
/** @typedef {import("./types.js").Handlers} Handlers */

const LIMIT = 500; // events in memory, as many as a reset has at most; how many keys there are, is the server's to say

export class Feed {
  /** By key or id, oldest first. @type {Map<string | number, FeedEvent>} */
  #events = new Map();
  /** A reset that came in part. @type {FeedEvent[] | null} */
  #partial = null;

  /** The position up to which nothing is missing. */
  cursor;
  /** Whether the present events are here, not just those after a cursor. */
  loaded = false;
  /** What the server says of it: empty while it says nothing. */
  status = "";
  message = "";
  /** Whether it was ever live. */
  wasLive = false;
  /** @type {import("./types.js").FeedState} */
  state = { name: "connecting", reason: "", message: "" };
  /** @type {Set<Handlers>} */
  followers = new Set();

  /** @param {string} name @param {string} since */
  constructor(name, since) {
    this.name = name;
    this.cursor = since;
  }

  /** The present events, oldest first. @returns {FeedEvent[]} */
  get events() {
    return [...this.#events.values()];
  }

  /** Tell everyone who follows. @param {keyof Handlers} what @param {...any} args */
  tell(what, ...args) {
    for (const follower of [...this.followers]) {
      try {
        /** @type {any} */ (follower)[what]?.(...args);
      } catch (error) {
        report(error);
      }
    }
  }

  /** Whether the feed is somewhere else than here. @param {string} head the server's position */
  isBehind(head) {
    const [there, here] = [head, this.cursor].map(at);
    return there.epoch !== here.epoch || there.at > here.at;
  }

  /**
   * Take a `feed` or `feed.reset` frame.
   *
   * @param {any} frame
   * @returns {boolean} whether there is a hole: ask the server again from the cursor
   */
  apply({ type, from, to, cursor, events, reason, more }) {
    if (type === "feed.reset") {
      // Another tab's beginning: this one goes on from where it is.
      if (this.loaded && reason === "start" && at(cursor).epoch === at(this.cursor).epoch) return this.isBehind(cursor);
      // What nobody was told of is empty still: only its position is another one, for now its first event comes.
      if (this.loaded && !this.#events.size && !events.length && !more) {
        this.#partial = null;
        this.#move(cursor);
        return false;
      }
      this.#partial = [];
    }
    if (this.#partial) {
      this.#partial.push(...events);
      if (!more) this.#reset(this.#partial, to ?? cursor, reason ?? "start");
      return false;
    }
    const [start, end, here] = [from, to, this.cursor].map(at);
    if (to && (end.epoch !== here.epoch || start.at > here.at)) return true;
    for (const event of events) {
      if (to && event.version <= here.at) continue;
      const put = to ? this.#put(event) : event;
      if (!put) return true;
      if (put !== true) this.tell("onEvent", put);
    }
    if (to && end.at > here.at) this.#move(to);
    return false;
  }

  /** @param {FeedEvent[]} events @param {string} cursor @param {string} reason */
  #reset(events, cursor, reason) {
    this.#partial = null;
    this.#events.clear();
    for (const event of events) this.#put(event);
    this.loaded = true;
    this.tell("onReset", this.events, reason);
    this.#move(cursor);
  }

  /** @param {string} cursor */
  #move(cursor) {
    this.cursor = cursor;
    this.tell("onMove", cursor);
  }

  /** Keep the newer. @param {FeedEvent} event @returns {FeedEvent | boolean} true: it is here already; false: what is before it is not */
  #put(event) {
    const key = event.key || event.id;
    const known = this.#events.get(key);
    if (known && known.version >= event.version) return true;
    const whole = "append" in event.data ? grown(event, known) : event;
    if (!whole) return false;
    this.#events.delete(key); // the newest is the last
    this.#events.set(key, Object.freeze(whole));
    if (!event.key && this.#events.size > LIMIT) this.#events.delete(this.#events.keys().next().value ?? 0);
    return whole;
  }
}

/**
 * Join a piece to the text that it continues.
 *
 * @param {FeedEvent} event
 * @param {FeedEvent} [known]
 * @returns {FeedEvent | undefined} undefined: what is before the piece is not here
 */
function grown(event, known) {
  const { append, offset, ...data } = event.data;
  const text = known?.data.text ?? "";
  const length = [...text].length; // in characters, as the server counts, of which some are two here
  if (offset > length || (!known && offset)) return undefined;
  const kept = offset < length ? [...text].slice(0, offset).join("") : text;
  return { ...event, data: { ...known?.data, ...data, text: kept + append }, append };
}
