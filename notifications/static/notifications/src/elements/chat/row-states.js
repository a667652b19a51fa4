/** How each message stands among its neighbours: days, runs of one author, the divider, and what became of it. */

import { listText } from "../../core/locale.js";
import { dayName, dayOf } from "./dates.js";

/** @typedef {import("../../chat/types.js").Message} Message */
/** @typedef {import("../../chat/types.js").Entry} Entry */
/** @typedef {import("../../chat/room.js").Room} Room */
/** @typedef {import("./room.js").ChatRoom} ChatRoom */

/**
 * @typedef {object} RowState how a message stands among its neighbours
 * @property {string} key the same before and after it is sent
 * @property {boolean} own
 * @property {boolean} first of a run by one author
 * @property {boolean} last
 * @property {string} day the name of the day that it begins, as it is called now
 * @property {boolean} fresh the first unread one: the divider stands above
 * @property {Message | null | undefined} quoted undefined: no reply; null: not here yet
 * @property {string} status what became of it, for the last own one and for those that wait
 * @property {"" | "failed"} tone
 */

const RUN = 300_000; // ms between two messages of one author that still belong together

/**
 * @param {Room} room
 * @param {ChatRoom} owner
 * @param {number} divider the first number that was unread; 0: none
 * @returns {[Message | Entry, RowState][]}
 */
export function rowStates(room, owner, divider) {
  const me = owner.client.me?.id;
  const sent = room.messages;
  const fresh = divider && sent.find(({ number, author }) => number >= divider && author?.id !== me)?.number;
  const lastOwn = sent.findLast(({ author, kind }) => author?.id === me && kind === "text");
  const all = /** @type {(Message | Entry)[]} */ ([...sent, ...room.waiting]);
  const by = all.map((one) => ("number" in one ? (one.kind === "text" ? one.author?.id : one.kind) : me));
  const at = all.map((one) => new Date("at" in one ? one.at : one.created_at));
  const days = at.map(dayOf);
  const now = new Date(owner.client.now());
  const joined = (/** @type {number} */ index) =>
    index > 0 &&
    by[index] === by[index - 1] &&
    days[index] === days[index - 1] &&
    at[index].getTime() - at[index - 1].getTime() < RUN &&
    /** @type {Message} */ (all[index]).number !== fresh;
  return all.map((message, index) => {
    const entry = "id" in message ? message : null;
    const number = "number" in message ? message.number : null;
    const own = !!entry || (by[index] === me && me !== undefined);
    return [
      message,
      {
        key: entry ? entry.id : (own && /** @type {Message} */ (message).client_id) || `${number}`, // the same before and after it is sent
        own,
        first: !joined(index),
        last: !(index + 1 < all.length && joined(index + 1)),
        day: days[index] === days[index - 1] ? "" : dayName(at[index], now, owner.client.locale),
        fresh: !!fresh && number === fresh,
        quoted: message.reply_to ? room.quote(message.reply_to) : undefined,
        status: entry ? waiting(entry, owner) : message === lastOwn ? reading(lastOwn, room, owner) : "",
        tone: entry?.state === "failed" ? "failed" : "",
      },
    ];
  });
}

/** @param {Entry} entry @param {ChatRoom} owner */
function waiting({ state, error }, owner) {
  if (state === "failed") return [owner.text("notSent"), error].filter(Boolean).join(": ");
  return owner.text(state === "sending" || owner.client.live ? "sending" : "queued");
}

/** @param {Message} message @param {Room} room @param {ChatRoom} owner */
function reading(message, room, owner) {
  const names = room.readers(message);
  if (!room.info?.members || !names.length) return owner.text("sent");
  if (room.info.kind === "direct" || names.length >= room.info.members.length - 1) return owner.text("read");
  if (names.length > 3) return owner.text("readByCount", { count: names.length });
  return owner.text("readBy", { names: listText(names, owner.client.locale) });
}
