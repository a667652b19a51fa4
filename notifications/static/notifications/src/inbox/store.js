/**
 * What this tab knows of the inbox: the server's items, the user's own changes on top, and the position.
 *
 * It is idempotent: an item counts if its version is newer, so frames may come twice, late or out of order. A hole is
 * noticed (`apply` says so) and healed by asking again from the cursor. Counts are the server's; the user's own changes
 * are added to them until a frame brings the items back.
 */

import { position } from "../core/cursor.js";
import { OptimisticUpdates } from "../core/optimistic.js";
import { Counter } from "./counter.js";
import { adds, changed, endOf, hasGrown, newestFirst } from "./states.js";

/** @typedef {import("./types.js").Item} Item */
/** @typedef {import("./types.js").Counts} Counts */
/** @typedef {import("../core/optimistic.js").Update<Item>} Update */

const LIMIT = 2_000; // items in memory; beyond it the store starts afresh from a snapshot
const OVERTAKE = 60_000; // ms by which an item's transaction may commit after a later item's

export class Store {
  /** As the server has them. @type {Map<number, Item>} */
  #items = new Map();
  /** @type {OptimisticUpdates<Item>} */
  #updates = new OptimisticUpdates("id");
  #counter;
  /** @type {Item[] | null} */
  #sorted = null;
  #latest = 0; // the youngest item's time of creation in epoch ms, by the server's clock

  /** The position up to which nothing is missing. */
  cursor;
  /** The latest position that anything here came from: what the user can have seen. */
  top;
  /** The highest id that was ever here. */
  newest = 0;
  /** Rises with every change. */
  revision = 0;
  /** How many snapshots replaced everything: a page that was asked for before is of no use. */
  resets = 0;

  #now;

  /**
   * @param {{cursor: string, unread: number, unseen: number}} start
   * @param {() => number} now the server's clock
   */
  constructor(start, now) {
    this.#now = now;
    this.cursor = this.top = start.cursor;
    this.#counter = new Counter(start, now);
  }

  /** The numbers for the badge. @returns {Counts} */
  get counts() {
    return this.#counter.shown(this.#items.values(), (item) => this.#updates.view(item));
  }

  /** All items as the user wants them, newest first. @returns {Item[]} */
  get items() {
    this.#sorted ??= [...this.#items.values()]
      .filter(({ removed }) => !removed)
      .map((item) => this.#updates.view(item))
      .sort(newestFirst);
    return this.#sorted;
  }

  /** When the next item expires, by the server's clock in epoch ms. @returns {number} */
  get until() {
    const now = this.#now();
    return Math.min(...[...this.#items.values()].map(endOf).filter((end) => end > now));
  }

  /**
   * Take a frame.
   *
   * @param {any} frame
   * @returns {{hole?: boolean, reset?: boolean, arrivals?: Item[], grown?: Item[]}} `hole`: ask the server again from
   *   `cursor`; `grown`: what people were told of before, and is unseen again
   */
  apply(frame) {
    if (frame.type === "changes") return this.#change(frame);
    if (frame.type === "reset") return this.#reset(frame);
    if (frame.type === "hello" && frame.cursor) this.#count(frame, frame.cursor); // what expired is not counted any more
    const [head, here] = [frame.head, this.cursor].map(at);
    return { hole: head.at >= 0 && (head.epoch !== here.epoch || head.at !== here.at) };
  }

  /**
   * Take a page of the API. Its rows are true at its cursor or later, but they are not all that happened until then:
   * the store's own cursor stays.
   *
   * @param {{items: Item[], cursor: string, unread: number, unseen: number}} page
   */
  page(page) {
    for (const item of page.items) this.#put(item);
    this.#count(page, page.cursor);
  }

  /**
   * Show a change before the server knows of it.
   *
   * @param {Partial<Item>} change
   * @param {number[]} ids
   * @param {readonly ("unread" | "unseen")[]} [emptied] counts that the change empties, items known here or not
   * @returns {Update}
   */
  optimisticUpdate(change, ids, emptied = []) {
    const items = ids.flatMap((id) => this.#items.get(id) ?? []);
    const update = this.#updates.add(items, (item) => changed(item, change));
    this.#touch();
    this.#counter.empty(this.counts, emptied);
    return update;
  }

  /** The server confirmed: the update ends when the server's own item comes. @param {Update} update */
  settle(update) {
    this.#updates.settle(update);
    this.#touch();
  }

  /** The server refused, or was not reached. @param {Update} update */
  cancel(update) {
    this.#counter.restore();
    this.#updates.cancel(update);
    this.#touch();
  }

  #touch() {
    this.#sorted = null;
    this.revision++;
  }

  /** Keep the newer. @param {Item} item @returns {boolean} whether it is new here */
  #put(item) {
    const known = this.#items.get(item.id);
    if (known?.version && item.version <= known.version) return false;
    this.#items.set(item.id, Object.freeze(item));
    this.#touch();
    if (known) return false;
    this.newest = Math.max(this.newest, item.id);
    this.#latest = Math.max(this.#latest, Date.parse(item.created_at) || 0);
    return true;
  }

  /** @param {Counts} counts @param {string} cursor */
  #count(counts, cursor) {
    const [now, top] = [cursor, this.top].map(at);
    if (now.epoch !== top.epoch || now.at > top.at) this.top = cursor;
    if (this.#counter.take(counts, cursor)) this.revision++;
  }

  /** @param {any} frame */
  #change(frame) {
    const [from, to, here] = [frame.from, frame.to, this.cursor].map(at);
    if (to.epoch !== here.epoch) return { hole: true }; // versions do not compare
    const [highest, youngest] = [this.newest, this.#latest];
    const isNews = (/** @type {Item} */ item) =>
      adds(item, "unseen") &&
      (item.toast ?? true) &&
      !(item.group?.since && item.group.since <= here.at) && // people were told of it before it grew
      (item.id > highest || Date.parse(item.created_at) > youngest - OVERTAKE);
    // What is unknown here and not after our position is of the past: the snapshot left it out, and rightly.
    const taken = /** @type {Item[]} */ (frame.items).filter(
      (item) => item.version > here.at || this.#items.has(item.id),
    );
    const grown = taken.filter((item) => hasGrown(item, this.#items.get(item.id)));
    const arrivals = taken.filter((item) => this.#put(item) && isNews(item));
    const full = this.#items.size > LIMIT;
    const hole = from.at > here.at || full;
    if (full) this.cursor = "";
    else if (!hole) {
      if (to.at > here.at) this.cursor = frame.to;
      this.#count(frame, frame.to);
    }
    return { hole, arrivals, grown: grown.filter((item) => !arrivals.includes(item)) };
  }

  /** Forget everything: the user signed out. */
  clear() {
    this.#reset({ cursor: "", items: [], unread: 0, unseen: 0 });
  }

  /** @param {any} frame */
  #reset(frame) {
    this.#items = new Map();
    this.resets++;
    this.cursor = frame.cursor;
    this.top = "";
    this.#counter.reset();
    for (const item of frame.items) this.#put(item);
    this.#updates.rebase(frame.items);
    this.#touch();
    this.#count(frame, frame.cursor);
    return { reset: true };
  }
}

const at = (/** @type {string} */ cursor) => position(cursor, "inbox");
