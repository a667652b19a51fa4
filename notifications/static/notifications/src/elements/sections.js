/** The sections of a list: Pinned, Today, Yesterday, This week, Older, by the reader's own calendar. Pure. */

/** @typedef {import("../inbox/types.js").Item} Item */

export const SECTIONS = /** @type {const} */ (["pinned", "today", "yesterday", "thisWeek", "older"]);

/** When a day began, or begins. @param {Date} now @param {number} days before or after it */
export const dayOf = (now, days) => new Date(now.getFullYear(), now.getMonth(), now.getDate() + days);

/**
 * @param {Pick<Item, "rank" | "pinned" | "created_at">} item
 * @param {Date} now
 * @param {number} firstDay of the week: 1 is Monday, 7 Sunday
 * @returns {number} of `SECTIONS`
 */
function sectionOf({ rank, pinned, created_at }, now, firstDay) {
  if (pinned) return 0;
  const time = rank > 1e15 ? rank / 1_000 : Date.parse(created_at); // what has come to the top since is of that day
  const weekdays = (now.getDay() - firstDay + 7) % 7; // that have passed of the week
  const begins = [dayOf(now, 0), dayOf(now, -1), dayOf(now, -weekdays)];
  const found = begins.findIndex((begin) => time >= begin.getTime());
  return found < 0 ? SECTIONS.length - 1 : found + 1;
}

/**
 * Where the sections of a list begin. An item that keeps its place for its reader, though it has risen, begins none.
 *
 * @param {readonly Item[]} items from top to bottom
 * @param {Date} now
 * @param {number} firstDay
 * @returns {Map<number, string>} the section's name, by the id of its first item
 */
export function sections(items, now, firstDay) {
  const found = new Map();
  let last = -1;
  for (const item of items) {
    const section = sectionOf(item, now, firstDay);
    if (section <= last) continue;
    last = section;
    found.set(item.id, SECTIONS[section]);
  }
  return found;
}
