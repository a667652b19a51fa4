/** What people do with a whole list, and what the bell's own bundle need not know: pin, snooze, archive all, undo. */

/** @typedef {import("./client.js").Client} Client */
/** @typedef {import("./client.js").Ids} Ids */
/** @typedef {import("./types.js").Listed} Listed */
/** @typedef {import("./types.js").Item} Item */
/** @typedef {{changed: number, back: () => Promise<boolean>}} Done what was changed, and what reverts it */
/** @typedef {{sent: Promise<boolean>, back: () => Promise<boolean>}} Undoable whether anything has changed, and what reverts it */

const every = (/** @type {Promise<boolean>[]} */ all) => Promise.all(all).then((done) => done.every(Boolean));

/** @param {Client} client @param {Ids} ids @param {boolean} on */
export const pin = (client, ids, on) => client.each(on ? "pin" : "unpin", ids, { pinned: on });

/**
 * Take items out of the inbox, for good or until a time.
 *
 * @param {Client} client
 * @param {readonly Item[]} items
 * @param {Date} [until]
 * @param {ReturnType<Client["seen"]>} [parts] what the user had seen of them when asked until when
 * @returns {Undoable}
 */
export function putAway(client, items, until, parts = client.seen(items.map(({ id }) => id))) {
  const snoozed_until = until?.toISOString() ?? null;
  const change = { archived_at: new Date(client.now()).toISOString(), snoozed_until };
  const action = until ? "snooze" : "archive";
  /** @type {string[]} */
  const tokens = [];
  const sent = every(
    parts.map(({ some, up_to }) => {
      const more = { ...(up_to && { up_to }), ...(until && { until: snoozed_until }) };
      return client.each(action, some, change, more, ({ undo }) => undo && tokens.push(undo));
    }),
  );
  const here = items.filter(({ archived_at }) => !archived_at).map(({ id }) => id);
  const back = async () => {
    // At once, also where the answer that says how is on its way; what slept before is told of by the server.
    const shown = client.store.optimisticUpdate({ archived_at: null, snoozed_until: null }, here);
    client.changed();
    await sent;
    const done = every(tokens.map((undo) => revert(client, here, undo, { archived_at: null, snoozed_until: null })));
    client.store.settle(shown);
    return done;
  };
  return { sent: sent.then((confirmed) => confirmed && !!tokens.length), back };
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
  const before = archives ? { archived_at: null } : { read_at: null };
  return { changed, back: () => revert(client, ids, undo, before) };
}

/**
 * @param {Client} client
 * @param {number[]} ids
 * @param {string} undo
 * @param {Partial<Item>} change
 * @returns {Promise<boolean>}
 */
function revert(client, ids, undo, change) {
  const retry = () => revert(client, ids, undo, change);
  return client.act("undo", ids, [...ids, "archive-all", "read-all"], client.config.urls.undo, { undo }, retry, change);
}
