/** How an item that grows says so: who it is from, and how many events it stands for. */

import { listText, numeral } from "../core/locale.js";
import { h, hidden } from "./dom.js";

/** @typedef {import("../inbox/types.js").Item} Item */
/** @typedef {import("./notification-element.js").NotificationElement} NotificationElement */

const NAMED = 3; // actors; of more, the last one's place is for the number of the others

/** A name keeps its own direction between others. @param {string} name */
const isolate = (name) => `\u2068${name}\u2069`;

/**
 * Name those who caused an item: "Ann", "Ann, Ben and 48 others". A title that names them already is enough.
 *
 * @param {Pick<Item, "title" | "actor" | "group">} item
 * @param {NotificationElement} owner
 */
export function people({ title, actor, group }, owner) {
  const { actors = 0, latest = [] } = group ?? {};
  if (actors < 2 || !latest.length) return actor?.name ?? "";
  const names = latest.slice(0, actors > NAMED ? NAMED - 1 : NAMED).map(({ name }) => name);
  if (names.every((name) => title.includes(name))) return "";
  const others = actors - names.length;
  const shown = names.map(isolate);
  if (others > 0) shown.push(owner.text(others > 1 ? "others" : "other", { count: others }));
  return isolate(listText(shown, owner.client.locale)); // as a whole too: the words between the names say its direction
}

/**
 * Make the number of events that an item stands for, if it has grown.
 *
 * @param {Pick<Item, "group">} item
 * @param {NotificationElement} owner
 */
export function tally({ group }, owner) {
  if (!group || group.events < 2) return null;
  const count = numeral(group.events, owner.client.locale);
  const spoken = hidden(owner.text("events", { count: group.events }));
  return h("span", { class: "tally" }, h("span", { "aria-hidden": "true" }, count), spoken);
}
