/**
 * What this tab knows of the inbox: the server's items, the user's own changes on top, and the position.
 *
 * It is idempotent: an item counts if its version is newer, so frames may come twice, late or out of order. A hole is
 * noticed (`apply` says so) and healed by asking again from the cursor. Counts are the server's; the user's own changes
 * are added to them until a frame brings the items back.
 */

import { position } from "./cursor.js";

/** @typedef {import("./types.js").Item} Item */
/** @typedef {{change: Partial<Item>, settled: boolean}} Change a wish of the user's, shown before the server confirmed it */
/** @typedef {{base: Item, wishes: Map<Change, number>, view: Item | null}} Entry each wish with the version that it was made on */

const LIMIT = 1_000; // items that frames may bring, beside what the reader paged; the oldest are forgotten and paged again
const OVERTAKE = 60_000; // ms by which an item's transaction may commit after a later item's
const STATES = /** @type {const} */ (["seen_at", "read_at", "archived_at"]);
const COUNTED = /** @type {const} */ (["unread", "unseen"]);

/** @param {Item} item */
const unread = (item) => !item.removed && !item.archived_at && !item.read_at;
/** @param {Item} item */
const unseen = (item) => unread(item) && !item.seen_at;
const TESTS = { unread, unseen };

export class Store {
  /** @type {Map<number, Entry>} */
  #entries = new Map();
  #counts;
  #countedAt;
  /** What bulk changes took off the counts beyond the items that are known here. */
  #beyond = { unread: 0, unseen: 0 };
  /** @type {Item[] | null} */
  #sorted = null;
  #latest = 0; // epoch ms, by the server's clock
  #room = LIMIT;

  /** Rises with every change. */
  revision = 0;
  /** How many snapshots replaced everything: a page that was asked for before is of no use. */
  resets = 0;
  /** The highest id that was ever here. */
  newest = 0;
  /** Items below this id were forgotten. */
  oldest = 0;

  /** @param {{cursor: string, unread: number, unseen: number}} start */
  constructor({ cursor, unread, unseen }) {
    this.cursor = cursor;
    /** The latest position that anything here came from: what the user can have seen. */
    this.top = cursor;
    this.#counts = { unread, unseen };
    this.#countedAt = cursor;
  }

  /** The numbers for the badge. */
  get counts() {
    const counts = { ...this.#counts };
    for (const { base, view, wishes } of this.#entries.values()) {
      if (!wishes.size) continue;
      for (const key of COUNTED) counts[key] += +TESTS[key](view ?? this.#show(base, wishes)) - +TESTS[key](base);
    }
    for (const key of COUNTED) counts[key] = Math.max(0, counts[key] - this.#beyond[key]);
    return counts;
  }

  /** All items as the user wants them, newest first. */
  get items() {
    this.#sorted ??= [...this.#entries.values()]
      .filter(({ base }) => !base.removed)
      .map((entry) => (entry.view ??= this.#show(entry.base, entry.wishes)))
      .sort((a, b) => b.id - a.id);
    return this.#sorted;
  }

  /**
   * Take a frame.
   *
   * @param {any} frame
   * @returns {{hole: boolean, reset: boolean, arrivals: Item[]}} `hole`: ask the server again from `cursor`
   */
  apply(frame) {
    const here = position(this.cursor);
    if (frame.type === "changes") {
      const [from, to] = [position(frame.from), position(frame.to)];
      if (to.epoch !== here.epoch) return { hole: true, reset: false, arrivals: [] }; // versions do not compare
      const arrivals = this.#arrivals(frame.items);
      if (from.at > here.at) return { hole: true, reset: false, arrivals };
      if (to.at > here.at) this.cursor = frame.to;
      this.#count(frame, frame.to);
      return { hole: false, reset: false, arrivals };
    }
    if (frame.type === "reset") {
      this.#reset(frame);
      return { hole: false, reset: true, arrivals: [] };
    }
    const head = position(frame.type === "hello" ? null : frame.head);
    return { hole: head.at >= 0 && (head.epoch !== here.epoch || head.at !== here.at), reset: false, arrivals: [] };
  }

  /**
   * Take a page of the API. Its rows are true at its cursor or later, but they are not all that happened until then:
   * the store's own cursor stays.
   *
   * @param {{items: Item[], cursor: string, unread: number, unseen: number}} page
   */
  page(page) {
    for (const item of page.items) {
      this.oldest = Math.min(this.oldest, item.id);
      if (this.#put(item)) this.#room++;
    }
    this.#count(page, page.cursor);
  }

  /**
   * Show a change before the server knows of it.
   *
   * @param {Partial<Item>} change
   * @param {Iterable<number>} ids
   * @param {Iterable<string>} [emptied] counts that the change empties, items known here or not
   * @returns {Change}
   */
  wish(change, ids, emptied = []) {
    const wish = { change, settled: false };
    for (const id of ids) {
      const entry = this.#entries.get(id);
      if (entry) this.#touch(entry).wishes.set(wish, entry.base.version);
    }
    const left = this.counts;
    for (const key of COUNTED) if ([...emptied].includes(key)) this.#beyond[key] += left[key];
    return wish;
  }

  /** The server confirmed: the wish ends when the server's own item comes. @param {Change} wish */
  settle(wish) {
    wish.settled = true;
    for (const entry of this.#entries.values()) if (entry.wishes.has(wish)) this.#fulfil(this.#touch(entry));
  }

  /** The server refused, or was not reached. @param {Change} wish */
  cancel(wish) {
    this.#beyond = { unread: 0, unseen: 0 };
    for (const entry of this.#entries.values()) if (entry.wishes.delete(wish)) this.#touch(entry);
  }

  /** @param {Item[]} items */
  #arrivals(items) {
    const [newest, latest] = [this.newest, this.#latest];
    const arrivals = items.filter((item) => this.#put(item) && unseen(item) &&
      (item.id > newest || Date.parse(item.created_at) > latest - OVERTAKE));
    this.#trim();
    return arrivals;
  }

  /** @param {any} frame */
  #reset(frame) {
    const before = this.#entries;
    this.#entries = new Map();
    this.oldest = 0;
    this.resets++;
    this.cursor = frame.cursor;
    this.#countedAt = this.top = "";
    for (const item of frame.items) {
      this.#put(item);
      for (const [wish] of before.get(item.id)?.wishes ?? []) {
        if (!wish.settled) this.#entries.get(item.id)?.wishes.set(wish, item.version);
      }
    }
    this.#count(frame, frame.cursor);
  }

  /** Keep the newer. @param {Item} item @returns {boolean} whether the item is new here */
  #put(item) {
    const entry = this.#entries.get(item.id);
    if (!entry) {
      if (item.id < this.oldest) return false;
      this.newest = Math.max(this.newest, item.id);
      this.#latest = Math.max(this.#latest, Date.parse(item.created_at) || 0);
      this.#touch({ base: Object.freeze(item), wishes: new Map(), view: null });
      return true;
    }
    if (item.version > entry.base.version || !entry.base.version) {
      entry.base = Object.freeze(item);
      this.#fulfil(this.#touch(entry));
    }
    return false;
  }

  /** Drop the confirmed wishes that the server's item has overtaken, and all of them when they change nothing. @param {Entry} entry */
  #fulfil({ base, wishes }) {
    for (const [wish, version] of wishes) if (wish.settled && base.version > version) wishes.delete(wish);
    const view = this.#show(base, wishes);
    const same = STATES.every((key) => !view[key] === !base[key]);
    if (same && [...wishes.keys()].every(({ settled }) => settled)) wishes.clear();
  }

  /** @param {Entry} entry */
  #touch(entry) {
    this.#entries.set(entry.base.id, entry);
    entry.view = this.#sorted = null;
    this.revision++;
    return entry;
  }

  /** @param {Item} base @param {Map<Change, number>} wishes */
  #show(base, wishes) {
    if (!wishes.size) return base;
    const view = /** @type {any} */ ({ ...base, pending: true });
    for (const { change } of wishes.keys()) {
      for (const [key, value] of Object.entries(change)) view[key] = value && (view[key] ?? value);
    }
    return /** @type {Item} */ (Object.freeze(view));
  }

  /** Take the server's counts unless newer ones are here. @param {{unread: number, unseen: number}} counts @param {string} at */
  #count({ unread, unseen }, at) {
    const [now, then, top] = [position(at), position(this.#countedAt), position(this.top)];
    if (now.epoch !== top.epoch || now.at > top.at) this.top = at;
    if (now.epoch === then.epoch && now.at < then.at) return;
    this.#counts = { unread, unseen };
    this.#countedAt = at;
    this.#beyond = { unread: 0, unseen: 0 };
    this.revision++;
  }

  #trim() {
    if (this.#entries.size <= this.#room) return;
    const ids = [...this.#entries.keys()].sort((a, b) => b - a);
    this.oldest = ids[LIMIT - 1];
    this.#room = LIMIT;
    for (const id of ids.slice(LIMIT)) this.#entries.delete(id);
    this.#sorted = null;
    this.revision++;
  }
}
