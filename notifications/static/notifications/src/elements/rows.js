/** The rows of a list: real links, updated in place, with the focus kept where the reader had it. */

import { button, h, link, text } from "./notification-element.js";
import { icon } from "./icons.js";
import { time } from "./time.js";

/** @typedef {import("./notification-element.js").NotificationElement} NotificationElement */
/** @typedef {import("../inbox/types.js").Item} Item */

export class Rows {
  /** @type {Map<number, {item: Item, row: HTMLElement}>} */
  #shown = new Map();

  list = h("ul", { class: "items", role: "list", onkeydown: (/** @type {KeyboardEvent} */ event) => this.#move(event) });

  /** @param {NotificationElement} owner */
  constructor(owner) {
    this.owner = owner;
  }

  /** @param {readonly Item[]} items */
  render(items) {
    const focus = this.#focus();
    const before = this.#shown;
    this.#shown = new Map();
    for (const item of items) {
      const known = before.get(item.id);
      before.delete(item.id);
      const row = known?.item === item ? known.row : this.#row(item);
      if (known && known.row !== row) known.row.replaceWith(row);
      this.#shown.set(item.id, { item, row });
    }
    for (const { row } of before.values()) row.remove();
    let next = this.list.firstChild;
    for (const { row } of this.#shown.values()) {
      if (row === next) next = row.nextSibling;
      else this.list.insertBefore(row, next);
    }
    if (focus && !this.#focus()) this.#restore(...focus);
  }

  /**
   * Where the focus is: the item, its place in the list, and which of its controls.
   * @returns {[number, number, number] | null}
   */
  #focus() {
    const control = /** @type {HTMLElement} */ (this.owner.shadowRoot?.activeElement);
    const order = [...this.list.children].findIndex((row) => row.contains(control));
    const row = /** @type {HTMLElement | undefined} */ (this.list.children[order]);
    return row ? [Number(row.dataset.id), order, controls(row).indexOf(control)] : null;
  }

  /**
   * @param {number} id
   * @param {number} order
   * @param {number} control
   */
  #restore(id, order, control) {
    const same = this.#shown.get(id)?.row;
    const row = same ?? this.list.children[order] ?? this.list.lastElementChild;
    const all = controls(row ?? this.list);
    (all[same ? control : 0] ?? all[0])?.focus();
  }

  /** @param {KeyboardEvent} event */
  #move(event) {
    const focus = this.#focus();
    const rows = this.list.children;
    const step = { ArrowDown: 1, ArrowUp: -1, Home: -Infinity, End: Infinity }[event.key];
    if (!focus || !step) return;
    event.preventDefault();
    controls(rows[Math.max(0, Math.min(rows.length - 1, focus[1] + step))])[0].focus();
  }

  /** @param {Item} item */
  #row(item) {
    const { owner } = this;
    const { client } = owner;
    const unread = !item.read_at;
    const notes = [unread && owner.text("unread"), /warning|error/.test(item.level) && owner.text(item.level)].filter(Boolean);
    /** @type {(verb: "markRead" | "markUnread" | "archive" | "unarchive", image: string) => HTMLElement} */
    const action = (verb, image) => {
      const title = owner.text(verb);
      return button("icon", () => client[verb](item.id), icon(image), { title, "aria-label": `${title}: ${item.title}` });
    };
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
          notes.length ? h("span", { class: "hidden" }, `${notes.join(", ")}: `) : null,
          text("title", item.title),
          item.body ? text("body", item.body) : null,
          h("span", { class: "meta" }, ...meta(item, owner.language)),
        ),
      ),
      h(
        "div",
        { class: "actions" },
        ...(item.archived_at
          ? [action("unarchive", "unarchive")]
          : [
              unread ? action("markRead", "check") : action("markUnread", "unread"),
              action("archive", "archive"),
            ]),
      ),
    );
  }
}

/** @param {Element} row @returns {HTMLElement[]} */
function controls(row) {
  return [.../** @type {NodeListOf<HTMLElement>} */ (row.querySelectorAll("a, button"))];
}

/** @param {Item} item @param {string} language */
function meta({ actor, created_at, category }, language) {
  const parts = [actor?.name, time(created_at, language), category].filter(Boolean);
  return parts.flatMap((part, index) => [index ? " · " : "", h("bdi", {}, /** @type {Node | string} */ (part))]);
}
