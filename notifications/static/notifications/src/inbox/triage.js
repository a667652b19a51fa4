/** What people do with a whole list, and what the bell's own bundle need not know: pin, snooze, archive all, undo. */

/** @typedef {import("./client.js").Client} Client */
/** @typedef {import("./client.js").Ids} Ids */
/** @typedef {import("./types.js").Listed} Listed */
/** @typedef {import("./types.js").Item} Item */
/** @typedef {{changed: number, back: () => Promise<boolean>}} Done what was changed, and what reverts it */

/** @param {Client} client @param {Ids} ids @param {boolean} on */
export const pin = (client, ids, on) => client.each(on ? "pin" : "unpin", ids, { pinned: on });

/**
 * Take items out of the inbox until a time.
 *
 * @param {Client} client
 * @param {Ids} ids
 * @param {Date} until
 * @param {string} [up_to] what the user had seen when asked until when
 */
export function snooze(client, ids, until, up_to) {
  const snoozed_until = until.toISOString();
  const change = { archived_at: new Date(client.now()).toISOString(), snoozed_until };
  return client.each("snooze", ids, change, { ...(up_to && { up_to }), until: snoozed_until });
}

/** Bring them back. @param {Client} client @param {Ids} ids */
export const unsnooze = (client, ids) => client.each("unsnooze", ids, { archived_at: null, snoozed_until: null });

/**
 * Archive, or read, all that a list shows: what this tab knows of it at once, and the rest with the server's answer.
 *
 * @param {Client} client
 * @param {"archive-all" | "read-all"} action
 * @param {Listed} filter
 * @param {readonly Item[]} items those that are here
 * @returns {Promise<Done | undefined>} undefined: it was taken back
 */
export async function changeAll(client, action, { state, category, kind = "" }, items) {
  const { store, config } = client;
  const archives = action === "archive-all";
  const now = new Date(client.now()).toISOString();
  const ids = items.filter(({ read_at }) => archives || !read_at).map(({ id }) => id);
  const change = archives ? { archived_at: now } : { read_at: now, seen_at: now };
  const body = { up_to: store.top, category, kind, ...(archives && { state }) };
  const url = archives ? config.urls.archiveAll : config.urls.readAll;
  const retry = () => changeAll(client, action, { state, category, kind }, items);
  /** @type {{changed: number, undo?: string} | undefined} */
  let answer;
  const confirmed = await client.act(action, ids, [...ids, action], url, body, retry, change, (given) => {
    answer = given;
  });
  const { changed = 0, undo } = answer ?? {};
  if (!confirmed || !undo) return undefined;
  return { changed, back: () => revert(client, ids, undo, archives) };
}

/** @param {Client} client @param {number[]} ids @param {string} undo @param {boolean} archived @returns {Promise<boolean>} */
function revert(client, ids, undo, archived) {
  const change = archived ? { archived_at: null } : { read_at: null };
  const retry = () => revert(client, ids, undo, archived);
  return client.act("undo", ids, [...ids, "archive-all", "read-all"], client.config.urls.undo, { undo }, retry, change);
}
