/** The counts: the server's, with the user's own changes and what has expired since on top. */

import { position } from "../core/cursor.js";
import { addsAt, COUNTED } from "./states.js";

/** @typedef {import("./types.js").Item} Item */
/** @typedef {import("./types.js").Counts} Counts */

export class Counter {
  #now;
  /** @type {Counts} */
  #counts;
  /** The cursor at which the server counted, and its time: what had expired by then was not counted. */
  #at;
  #time = -Infinity;
  /** What bulk changes took off the counts beyond the items that are known here. */
  #beyond = { unread: 0, unseen: 0 };

  /**
   * @param {Counts & {cursor: string}} start
   * @param {() => number} now the server's clock
   */
  constructor({ cursor, unread, unseen }, now) {
    this.#counts = { unread, unseen };
    this.#at = cursor;
    this.#now = now;
  }

  /** Take the server's counts unless newer ones are here. @param {Counts} counts @param {string} cursor @returns {boolean} */
  take({ unread, unseen }, cursor) {
    const [next, then] = [cursor, this.#at].map((one) => position(one, "inbox"));
    if (next.epoch === then.epoch && next.at < then.at) return false;
    this.#counts = { unread, unseen };
    this.#time = this.#now();
    this.#at = cursor;
    this.restore();
    return true;
  }

  /** Whatever comes next is newer. */
  reset() {
    this.#at = "";
  }

  /** Take off what is left. @param {Counts} left @param {readonly ("unread" | "unseen")[]} keys */
  empty(left, keys) {
    for (const key of keys) this.#beyond[key] += left[key];
  }

  /** Give back what bulk changes took. */
  restore() {
    this.#beyond = { unread: 0, unseen: 0 };
  }

  /**
   * The numbers for the badge.
   *
   * @param {Iterable<Item>} items as the server has them
   * @param {(item: Item) => Item} viewOf as the user wants them
   * @returns {Counts}
   */
  shown(items, viewOf) {
    const shown = { ...this.#counts };
    const now = this.#now();
    for (const item of items) {
      const view = viewOf(item);
      if (view === item && !item.expires_at) continue;
      for (const key of COUNTED) shown[key] += addsAt(view, key, now) - addsAt(item, key, this.#time);
    }
    for (const key of COUNTED) shown[key] = Math.max(0, shown[key] - this.#beyond[key]);
    return shown;
  }
}
