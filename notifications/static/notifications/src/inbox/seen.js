/** What the user has seen of items, when something is done with them: what comes to one later is not meant. */

import { position } from "../core/cursor.js";

/**
 * Part the ids of items by whether those are ahead of the store, for they came with a page, or have no position yet:
 * so what is ahead says nothing of what others have grown by.
 *
 * @param {import("./store.js").Store} store
 * @param {number[]} ids
 * @returns {{some: number[], up_to?: string}[]} with the cursor of what is shown of some; without one if it is unknown
 */
export function seen({ cursor, items }, ids) {
  const { epoch, at } = position(cursor, "inbox");
  const versions = new Map(items.map(({ id, version }) => [id, version]));
  const version = (/** @type {number} */ id) => versions.get(id) ?? at;
  return [true, false].flatMap((ahead) => {
    const some = ids.filter((id) => (!version(id) || version(id) > at) === ahead);
    const known = some.map(version);
    const up_to = epoch && known.every(Boolean) ? `inbox=${epoch}.${Math.max(at, ...known)}` : undefined;
    return some.length ? { some, up_to } : [];
  });
}
