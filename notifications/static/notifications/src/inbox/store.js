/**
 * What this tab knows of the inbox: the server's items, the user's own changes on top, and the position.
 *
 * It is idempotent: an item counts if its version is newer, so frames may come twice, late or out of order. A hole is
 * noticed (`apply` says so) and healed by asking again from the cursor. Counts are the server's; the user's own changes
 * are added to them until a frame brings the items back.
 */

import { position } from "../core/cursor.js";
import { adds, fulfil, wished } from "./wishes.js";

/** @typedef {import("./types.js").Item} Item */
/** @typedef {import("./wishes.js").Wish} Wish */
/** @typedef {import("./wishes.js").Entry} Entry */
/** @typedef {ReturnType<typeof createStore>} Store */

const LIMIT = 2_000; // items in memory; beyond it the store starts afresh from a snapshot
const OVERTAKE = 60_000; // ms by which an item's transaction may commit after a later item's
const COUNTED = /** @type {const} */ (["unread", "unseen"]);

/** @param {{cursor: string, unread: number, unseen: number}} start */
export function createStore({ cursor, unread, unseen }) {
  /** @type {Map<number, Entry>} */
  let entries = new Map();
  let counts = { unread, unseen };
  let countedAt = cursor;
  /** What bulk changes took off the counts beyond the items that are known here. */
  let beyond = { unread: 0, unseen: 0 };
  /** @type {Item[] | null} */
  let sorted = null;
  let newest = 0; // the highest id that was ever here
  let latest = 0; // the youngest item's time of creation in epoch ms, by the server's clock

  const touch = (/** @type {Entry} */ entry) => {
    entries.set(entry.base.id, entry);
    entry.view = sorted = null;
    self.revision++;
    return entry;
  };

  /** Keep the newer. @returns {boolean} whether the item is new here */
  const put = (/** @type {Item} */ item) => {
    const entry = entries.get(item.id);
    if (!entry) {
      newest = Math.max(newest, item.id);
      latest = Math.max(latest, Date.parse(item.created_at) || 0);
      touch({ base: Object.freeze(item), wishes: new Map(), view: null });
    } else if (item.version > entry.base.version || !entry.base.version) {
      entry.base = Object.freeze(item);
      fulfil(touch(entry));
    }
    return !entry;
  };

  /** Take the server's counts unless newer ones are here. */
  const count = (/** @type {{unread: number, unseen: number}} */ { unread, unseen }, /** @type {string} */ at) => {
    const [now, then, top] = [at, countedAt, self.top].map(position);
    if (now.epoch !== top.epoch || now.at > top.at) self.top = at;
    if (now.epoch === then.epoch && now.at < then.at) return;
    counts = { unread, unseen };
    countedAt = at;
    beyond = { unread: 0, unseen: 0 };
    self.revision++;
  };

  const changes = (/** @type {any} */ frame) => {
    const [from, to, here] = [frame.from, frame.to, self.cursor].map(position);
    if (to.epoch !== here.epoch) return { hole: true }; // versions do not compare
    const [highest, youngest] = [newest, latest];
    // What is unknown here and not after our position is of the past: the snapshot left it out, and rightly.
    const arrivals = /** @type {Item[]} */ (frame.items).filter((item) =>
      (item.version > here.at || entries.has(item.id)) && put(item) && adds(item, "unseen") &&
      (item.id > highest || Date.parse(item.created_at) > youngest - OVERTAKE));
    const hole = from.at > here.at || entries.size > LIMIT;
    if (entries.size > LIMIT) self.cursor = "";
    else if (!hole) {
      if (to.at > here.at) self.cursor = frame.to;
      count(frame, frame.to);
    }
    return { hole, arrivals };
  };

  const reset = (/** @type {any} */ frame) => {
    const before = entries;
    entries = new Map();
    sorted = null;
    self.resets++;
    self.cursor = frame.cursor;
    countedAt = self.top = "";
    for (const item of frame.items) {
      put(item);
      for (const [wish] of before.get(item.id)?.wishes ?? []) {
        if (!wish.settled) entries.get(item.id)?.wishes.set(wish, item.version);
      }
    }
    count(frame, frame.cursor);
    return { reset: true };
  };

  const self = {
    /** The position up to which nothing is missing. */
    cursor,
    /** The latest position that anything here came from: what the user can have seen. */
    top: cursor,
    /** Rises with every change. */
    revision: 0,
    /** How many snapshots replaced everything: a page that was asked for before is of no use. */
    resets: 0,
    get newest() {
      return newest;
    },

    /** The numbers for the badge. */
    get counts() {
      const shown = { ...counts };
      for (const { base, wishes } of entries.values()) {
        if (wishes.size) for (const key of COUNTED) shown[key] += adds(wished(base, wishes), key) - adds(base, key);
      }
      for (const key of COUNTED) shown[key] = Math.max(0, shown[key] - beyond[key]);
      return shown;
    },

    /** All items as the user wants them, newest first. */
    get items() {
      return (sorted ??= [...entries.values()]
        .filter(({ base }) => !base.removed)
        .map((entry) => (entry.view ??= wished(entry.base, entry.wishes)))
        .sort((a, b) => b.id - a.id));
    },

    /**
     * Take a frame.
     *
     * @param {any} frame
     * @returns {{hole?: boolean, reset?: boolean, arrivals?: Item[]}} `hole`: ask the server again from `cursor`
     */
    apply(frame) {
      if (frame.type === "changes") return changes(frame);
      if (frame.type === "reset") return reset(frame);
      if (frame.type === "hello" && frame.cursor) count(frame, frame.cursor); // what expired is not counted any more
      const [head, here] = [frame.head, self.cursor].map(position);
      return { hole: head.at >= 0 && (head.epoch !== here.epoch || head.at !== here.at) };
    },

    /**
     * Take a page of the API. Its rows are true at its cursor or later, but they are not all that happened until then:
     * the store's own cursor stays.
     *
     * @param {{items: Item[], cursor: string, unread: number, unseen: number}} page
     */
    page(page) {
      page.items.forEach(put);
      count(page, page.cursor);
    },

    /**
     * Show a change before the server knows of it.
     *
     * @param {Partial<Item>} change
     * @param {number[]} ids
     * @param {("unread" | "unseen")[]} [emptied] counts that the change empties, items known here or not
     * @returns {Wish}
     */
    wish(change, ids, emptied = []) {
      const wish = { change, settled: false };
      for (const id of ids) {
        const entry = entries.get(id);
        if (entry) touch(entry).wishes.set(wish, entry.base.version);
      }
      const left = self.counts;
      for (const key of emptied) beyond[key] += left[key];
      return wish;
    },

    /** The server confirmed: the wish ends when the server's own item comes. @param {Wish} wish */
    settle(wish) {
      wish.settled = true;
      for (const entry of entries.values()) if (entry.wishes.has(wish)) fulfil(touch(entry));
    },

    /** The server refused, or was not reached. @param {Wish} wish */
    cancel(wish) {
      beyond = { unread: 0, unseen: 0 };
      for (const entry of entries.values()) if (entry.wishes.delete(wish)) fulfil(touch(entry));
    },
  };
  return self;
}
