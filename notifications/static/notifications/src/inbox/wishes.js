/** What the user did to items, shown before the server confirmed it. */

/** @typedef {import("./types.js").Item} Item */
/** @typedef {{change: Partial<Item>, settled: boolean}} Wish `settled`: the server confirmed */
/** @typedef {{base: Item, wishes: Map<Wish, number>, view: Item | null}} Entry each wish with the version that it was made on */

const STATES = /** @type {const} */ (["seen_at", "read_at", "archived_at"]);

/** How much an item adds to a count. @param {Item} item @param {string} count */
export const adds = (item, count) => +!(item.removed || item.archived_at || item.read_at || (count === "unseen" && item.seen_at));

/** The item as the user wants it. @param {Item} base @param {Map<Wish, number>} wishes @returns {Item} */
export function wished(base, wishes) {
  if (!wishes.size) return base;
  const view = /** @type {any} */ ({ ...base, pending: true });
  for (const { change } of wishes.keys()) {
    for (const [key, value] of Object.entries(change)) view[key] = value && (view[key] ?? value);
  }
  return Object.freeze(view);
}

/** Drop the confirmed wishes that the server's item has overtaken, and all of them when they change nothing. @param {Entry} entry */
export function fulfil({ base, wishes }) {
  for (const [wish, version] of wishes) if (wish.settled && base.version > version) wishes.delete(wish);
  const view = wished(base, wishes);
  if (STATES.every((key) => !view[key] === !base[key]) && [...wishes.keys()].every(({ settled }) => settled)) wishes.clear();
}
