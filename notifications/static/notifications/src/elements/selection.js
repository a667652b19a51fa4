/** Which rows of a list are chosen: by their boxes, from one to another with Shift, all with one; and what is done to them. */

import { button, h, iconButton } from "./dom.js";
import { icon } from "./feed-icons.js";

/** @typedef {import("../inbox/types.js").Item} Item */

const BULK = 1_000; // items of one request

export class Selection {
  #view;
  #owner;
  /** @type {Set<number>} */
  #ids = new Set();
  #last = 0;
  #all = /** @type {HTMLInputElement} */ (h("input", { type: "checkbox", onchange: () => this.#toggleAll() }));
  #count = h("span", { class: "count", role: "status" });
  #archive = button("text", () => this.#view.verbs.done(this.items));
  #read = button("text", () => this.#view.verbs.read(this.items));
  #snooze = button("text", () => this.#view.verbs.snooze(this.items));
  root;

  /** @param {import("./feed-view.js").FeedView} view */
  constructor(view) {
    this.#view = view;
    this.#owner = view.owner;
    view.verbs.selection = this;
    this.#all.ariaLabel = this.#owner.text("selectAll");
    this.#snooze.textContent = this.#owner.text("snooze");
    this.root = h(
      "div",
      { class: "tools selected", role: "group", hidden: true },
      h("label", { class: "check" }, this.#all),
      this.#count,
      this.#archive,
      this.#read,
      this.#snooze,
      iconButton(icon("close"), this.#owner.text("clearSelection"), () => this.clear()),
    );
  }

  /** Those that are chosen, from top to bottom. @returns {Item[]} */
  get items() {
    return this.#view.feed.items.filter(({ id }) => this.#ids.has(id)).slice(0, BULK);
  }

  /** The box of a row. @param {Item} item */
  box({ id, title }) {
    const onclick = (/** @type {MouseEvent} */ { shiftKey }) => this.toggle(id, shiftKey);
    const label = `${this.#owner.text("select")}: ${title}`;
    return h("label", { class: "check" }, h("input", { type: "checkbox", "aria-label": label, onclick }));
  }

  /** Choose a row or let it go; with `range`, all from the one before. @param {number} id @param {boolean} [range] */
  toggle(id, range = false) {
    const on = !this.#ids.has(id);
    const ids = this.#view.feed.items.map((item) => item.id);
    const [from, to] = [range ? ids.indexOf(this.#last) : -1, ids.indexOf(id)].sort((a, b) => a - b);
    for (const one of from < 0 ? [id] : ids.slice(from, to + 1)) {
      if (on) this.#ids.add(one);
      else this.#ids.delete(one);
    }
    this.#last = id;
    this.#view.render();
  }

  clear() {
    if (!this.#ids.size) return;
    const focused = this.root.matches(":focus-within");
    this.#ids.clear();
    this.#view.render();
    if (focused) /** @type {HTMLElement | null} */ (this.root.closest("[tabindex]"))?.focus({ preventScroll: true });
  }

  /** Show what is chosen in the rows, and what can be done with it. @param {HTMLElement} list */
  render(list) {
    const { items } = this;
    this.#ids = new Set(items.map(({ id }) => id)); // what has left the list is not chosen any more
    for (const row of /** @type {NodeListOf<HTMLElement>} */ (list.querySelectorAll("li[data-id]"))) {
      const box = row.querySelector("input");
      if (box) box.checked = this.#ids.has(Number(row.dataset.id));
    }
    const count = items.length;
    const owner = this.#owner;
    this.root.hidden = !count;
    this.root.parentElement?.classList.toggle("selecting", !!count);
    this.#all.checked = count === this.#view.feed.items.length;
    this.#all.indeterminate = !this.#all.checked;
    const away = items.every(({ archived_at }) => archived_at);
    this.#count.textContent = count ? owner.text("selected", { count }) : "";
    this.#archive.textContent = away ? owner.text("unarchive") : owner.text("archiveMany", { count });
    this.#read.textContent = owner.text(items.every(({ read_at }) => read_at) ? "markUnread" : "markRead");
    this.#snooze.hidden = away && items.every(({ snoozed_until }) => !snoozed_until);
  }

  #toggleAll() {
    const { items } = this.#view.feed;
    this.#ids = new Set(this.#ids.size < items.length ? items.slice(0, BULK).map(({ id }) => id) : []);
    this.#view.render();
  }
}
