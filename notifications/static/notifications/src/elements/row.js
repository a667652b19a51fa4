/** One notification in a feed: a real link, and what can be done with it. */

import { button, face, h, hidden, iconButton, link, text } from "./dom.js";
import { icon } from "./feed-icons.js";
import { people, tally } from "./growth.js";
import { time } from "./time.js";

/** @typedef {import("./notification-element.js").NotificationElement} NotificationElement */
/** @typedef {import("../inbox/types.js").Item} Item */

/** Characters, and lines, of a body that is shown whole: there is a button for whatever does not show. */
const PANEL = [100, 2];
const PAGE = [600, 6];

/** Those whose whole body is shown, by id; a row is drawn anew when its item changes. @type {Set<number>} */
const whole = new Set();

/**
 * @param {Item} item
 * @param {NotificationElement} owner
 */
export function drawRow(item, owner) {
  const { client } = owner;
  const unread = !item.read_at;
  const [characters, lines] = owner.localName === "notification-list" ? PAGE : PANEL;
  const long = item.body.length > characters || item.body.split("\n").length > lines;
  const notes = [unread && owner.text("unread"), /warning|error/.test(item.level) && owner.text(item.level)];
  const spoken = notes.filter(Boolean).join(", ");
  return h(
    "li",
    {
      class: `item${unread ? " unread" : ""}${long ? " long" : ""}`,
      "data-id": item.id,
      "data-level": item.level,
    },
    link(
      item.url,
      () => (item.url ? client.follow(item.id) : unread && client.markRead(item.id)),
      face(item.actor, () => icon(item.level)),
      h(
        "span",
        { class: "words" },
        spoken ? hidden(`${spoken}: `) : null,
        text("title", item.title),
        item.body ? text("body", item.body) : null,
        h("span", { class: "meta" }, ...meta(item, owner)),
      ),
      tally(item, owner),
    ),
    h("div", { class: "actions" }, ...actions(item, owner)),
    long ? expander(item.id, owner) : null,
  );
}

/** The button that shows the rest of a long body. @param {number} id @param {NotificationElement} owner */
function expander(id, owner) {
  const toggle = button("text expand", () => {
    if (!whole.delete(id)) whole.add(id);
    show();
  });
  const show = () => {
    const on = whole.has(id);
    toggle.textContent = owner.text(on ? "less" : "more");
    toggle.ariaExpanded = `${on}`;
    toggle.parentElement?.classList.toggle("whole", on);
  };
  queueMicrotask(show); // once it stands in its row
  return toggle;
}

/** @param {Item} item @param {NotificationElement} owner */
function actions({ id, title, read_at, archived_at, mutable }, owner) {
  /** @type {(verb: "markRead" | "markUnread" | "archive" | "unarchive", image: string) => HTMLElement} */
  const action = (verb, image) => iconButton(icon(image), owner.text(verb), () => client[verb](id), title);
  if (archived_at) return [action("unarchive", "unarchive")];
  const { client } = owner;
  const mute = async () => {
    try {
      await client.ask(client.config.urls.item.replace("{action}", "mute").replace("{id}", `${id}`), {});
      owner.announce(owner.text("muted"));
      return true;
    } catch (error) {
      client.emit("failure", {
        action: "mute",
        ids: [id],
        retry: mute,
        message: client.explain("couldNotMute", error),
      });
      return false;
    }
  };
  return [
    ...(mutable ? [iconButton(icon("mute"), owner.text("mute"), mute, title)] : []),
    read_at ? action("markUnread", "unread") : action("markRead", "check"),
    action("archive", "archive"),
  ];
}

/** @param {Item} item @param {NotificationElement} owner */
function meta(item, owner) {
  const parts = [people(item, owner), time(item.created_at, owner.client), item.category].filter(Boolean);
  return parts.flatMap((part, index) => [index ? " · " : "", h("bdi", {}, /** @type {Node | string} */ (part))]);
}
