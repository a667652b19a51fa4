/** One notification in a feed: a real link, and what can be done with it. */

import { dateText } from "../core/locale.js";
import { button, face, h, hidden, iconButton, link, text } from "./dom.js";
import { icon } from "./feed-icons.js";
import { people, tally } from "./growth.js";
import { time } from "./time.js";

/** @typedef {import("./notification-element.js").NotificationElement} NotificationElement */
/** @typedef {import("../inbox/types.js").Item} Item */
/** @typedef {import("./verbs.js").Verbs} Verbs */

/** Characters, and lines, of a body that is shown whole: there is a button for whatever does not show. */
const PANEL = [100, 2];
const PAGE = [600, 6];
const UNTIL = /** @type {const} */ ({ dateStyle: "medium", timeStyle: "short" });

/** Those whose whole body is shown, by id; a row is drawn anew when its item changes. @type {Set<number>} */
const whole = new Set();

/**
 * @param {Item} item
 * @param {NotificationElement} owner
 * @param {Verbs} verbs
 * @param {string} [section] that begins with it
 */
export function drawRow(item, owner, verbs, section) {
  const { client } = owner;
  const unread = !item.read_at;
  const page = owner.localName === "notification-list";
  const [characters, lines] = page ? PAGE : PANEL;
  const long = item.body.length > characters || item.body.split("\n").length > lines;
  const notes = [unread && owner.text("unread"), /warning|error/.test(item.level) && owner.text(item.level)];
  const spoken = notes.filter(Boolean).join(", ");
  return h(
    "li",
    {
      class: `item${unread ? " unread" : ""}${long ? " long" : ""}${section ? " first" : ""}${item.actions?.length ? " offering" : ""}`,
      "data-id": item.id,
      "data-level": item.level,
    },
    section ? h("div", { class: "section", role: "heading", "aria-level": page ? "2" : "3" }, section) : null,
    verbs.selection?.box(item) ?? null,
    link(
      item.url,
      () => (item.url ? client.follow(item.id) : unread && client.markRead(item.id)),
      face(item.actor, item.icon, () => icon(item.level)),
      h(
        "span",
        { class: "words" },
        spoken ? hidden(`${spoken}: `) : null,
        text("title", item.title),
        item.body ? text("body", item.body) : null,
        item.outcome ? text("outcome", [item.outcome.text, item.outcome.by].filter(Boolean).join(" · ")) : null,
        h("span", { class: "meta" }, ...meta(item, owner)),
      ),
      tally(item, owner),
    ),
    h("div", { class: "actions" }, ...actions(item, owner, verbs)),
    long ? expander(item.id, owner) : null,
    item.actions?.length ? offers(item, verbs) : null,
  );
}

/** What the item offers to do. @param {Item} item @param {Verbs} verbs */
function offers(item, verbs) {
  const buttons = (item.actions ?? []).map(({ name, label, style }) =>
    button(`offer ${style}`.trim(), () => verbs.act(item, name), label, { "aria-label": `${label}: ${item.title}` }),
  );
  return h("div", { class: "offers" }, ...buttons);
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

/** @param {Item} item @param {NotificationElement} owner @param {Verbs} verbs */
function actions(item, owner, verbs) {
  const { title, read_at, archived_at, snoozed_until, pinned, mutable } = item;
  const action = (/** @type {string} */ name, /** @type {string} */ image, /** @type {() => void} */ act) =>
    iconButton(icon(image), owner.text(name), act, title);
  const snooze = action("snooze", "snooze", () => verbs.snooze([item]));
  if (archived_at) {
    const restore = action("unarchive", "unarchive", () => verbs.restore([item]));
    return snoozed_until ? [snooze, restore] : [restore];
  }
  return [
    action(read_at ? "markUnread" : "markRead", read_at ? "unread" : "check", () => verbs.read([item])),
    action("archive", "archive", () => verbs.done([item])),
    snooze,
    action(pinned ? "unpin" : "pin", "pin", () => verbs.pin([item])),
    ...(mutable ? [action("mute", "mute", () => verbs.mute(item))] : []),
  ];
}

/** @param {Item} item @param {NotificationElement} owner */
function meta(item, owner) {
  const { client } = owner;
  const { snoozed_until, created_at, category } = item;
  const parts = [
    snoozed_until && owner.text("until", { time: dateText(new Date(snoozed_until), client.locale, UNTIL) }),
    people(item, owner),
    time(created_at, client),
    category,
  ].filter(Boolean);
  return parts.flatMap((part, index) => [index ? " · " : "", h("bdi", {}, /** @type {Node | string} */ (part))]);
}
