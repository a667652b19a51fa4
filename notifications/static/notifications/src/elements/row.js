/** One notification in a feed: a real link, and what can be done with it. */

import { h, hidden, iconButton, link, text } from "./dom.js";
import { icon } from "./icons.js";
import { time } from "./time.js";

/** @typedef {import("./notification-element.js").NotificationElement} NotificationElement */
/** @typedef {import("../inbox/types.js").Item} Item */

/**
 * @param {Item} item
 * @param {NotificationElement} owner
 */
export function drawRow(item, owner) {
  const { client } = owner;
  const unread = !item.read_at;
  const notes = [unread && owner.text("unread"), /warning|error/.test(item.level) && owner.text(item.level)];
  const spoken = notes.filter(Boolean).join(", ");
  return h(
    "li",
    { class: unread ? "item unread" : "item", "data-id": item.id, "data-level": item.level },
    link(
      item.url,
      () => (item.url ? client.follow(item.id) : unread && client.markRead(item.id)),
      h("span", { class: "level" }, icon(item.level)),
      h(
        "span",
        { class: "words" },
        spoken ? hidden(`${spoken}: `) : null,
        text("title", item.title),
        item.body ? text("body", item.body) : null,
        h("span", { class: "meta" }, ...meta(item, client)),
      ),
    ),
    h("div", { class: "actions" }, ...actions(item, owner)),
  );
}

/** @param {Item} item @param {NotificationElement} owner */
function actions({ id, title, read_at, archived_at }, owner) {
  /** @type {(verb: "markRead" | "markUnread" | "archive" | "unarchive", image: string) => HTMLElement} */
  const action = (verb, image) => iconButton(icon(image), owner.text(verb), () => owner.client[verb](id), title);
  if (archived_at) return [action("unarchive", "unarchive")];
  return [read_at ? action("markUnread", "unread") : action("markRead", "check"), action("archive", "archive")];
}

/** @param {Item} item @param {NotificationElement["client"]} client */
function meta({ actor, created_at, category }, client) {
  const parts = [actor?.name, time(created_at, client), category].filter(Boolean);
  return parts.flatMap((part, index) => [index ? " · " : "", h("bdi", {}, /** @type {Node | string} */ (part))]);
}
