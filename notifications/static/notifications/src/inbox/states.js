/** The states of an item: unseen, seen, read, archived; each is a time or null. */

/** @typedef {import("./types.js").Item} Item */

/** What is counted. */
export const COUNTED = /** @type {const} */ (["unread", "unseen"]);

/** How much an item adds to a count. @param {Item} item @param {"unread" | "unseen"} count */
export function adds({ removed, archived_at, read_at, seen_at }, count) {
  return +!(removed || archived_at || read_at || (count === "unseen" && seen_at));
}

/**
 * The item with a change on top; a time that is set already stays.
 *
 * @param {Item} item
 * @param {Partial<Item>} change
 * @returns {Item} the same object where nothing changes
 */
export function changed(item, change) {
  let view = item;
  for (const [key, value] of Object.entries(change)) {
    if (!value !== !view[/** @type {"read_at"} */ (key)]) view = { ...view, [key]: value };
  }
  return view;
}

/** Whether people were told of an item before, here or in an earlier page, and it has grown since. @param {Item} item @param {Item} [known] */
export const hasGrown = (item, known) =>
  !!item.group?.since && !!adds(item, "unseen") && item.group.events > (known?.group?.events ?? 0);

/** The order of every list. @param {{id: number, rank: number}} a @param {{id: number, rank: number}} b */
export const newestFirst = (a, b) => b.rank - a.rank || b.id - a.id;

/** When an item expires, in epoch ms. @param {Item} item */
export const endOf = ({ expires_at }) => (expires_at ? Date.parse(expires_at) : Infinity);

/** How much an item adds at a time of the server's clock, in epoch ms. @param {Item} item @param {"unread" | "unseen"} count @param {number} now */
export const addsAt = (item, count, now) => (endOf(item) > now ? adds(item, count) : 0);
