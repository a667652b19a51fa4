/** How a list is narrowed and searched, and what is done with all of it; the numbers are the server's. */

import { isVisible, settled } from "../core/browser.js";
import { numeral } from "../core/locale.js";
import { changeAll } from "../inbox/triage.js";
import { button, h, redraw } from "./dom.js";

/** @typedef {{name: string, total: number, unread: number, label: string}} Facet */
/** @typedef {{state: string, total: number, unread: number, more: boolean, categories: Facet[], kinds: Facet[]}} Facets the `state` is of the list that was counted */

const AGAIN = 1_000; // ms between two questions for the numbers
const TYPING = 300; // ms after a letter until it is searched

export class ListTools {
  #owner;
  #view;
  /** @type {Facets | undefined} */
  #facets;
  /** Whose they are. @type {import("../inbox/client.js").Client | undefined} */
  #of;
  #asked = "";
  #asking = false;
  #timer = 0;
  #search = /** @type {HTMLInputElement} */ (
    h("input", { type: "search", class: "field search", maxlength: "100", oninput: () => this.#type() })
  );
  #narrow = /** @type {HTMLSelectElement} */ (h("select", { class: "field", onchange: () => this.#choose() }));
  archive = button("text archive-all", () => this.#all("archive-all"));
  read = button("text read-all", () => this.#all("read-all"));
  root = h("div", { class: "tools", role: "search" }, this.#search, this.#narrow);

  /**
   * @param {import("./list.js").NotificationList} owner
   * @param {import("./feed-view.js").FeedView} view
   */
  constructor(owner, view) {
    this.#owner = owner;
    this.#view = view;
    this.#search.ariaLabel = this.#search.placeholder = owner.text("search");
    this.#search.value = owner.filter.q;
    this.#narrow.ariaLabel = owner.text("narrow");
    this.read.textContent = owner.text("markAllRead");
  }

  focus() {
    this.#search.focus();
    this.#search.select();
  }

  render() {
    const { client, filter } = this.#owner;
    if (client.state.name === "signed-out" || client !== this.#of) {
      this.#facets = undefined; // they are the user's
      this.#asked = "";
    }
    this.#of = client;
    const scope = filter.category || filter.kind;
    this.read.hidden = !client.counts.unread || !!filter.q || /archived|snoozed/.test(filter.state);
    const count = this.#archivable();
    this.archive.hidden = !count;
    this.archive.textContent = count ? this.#owner.text("archiveMany", { count: this.#atLeast(count) }) : "";
    redraw(this.#narrow, JSON.stringify([this.#facets, scope]), () => this.#options());
    this.#narrow.value = filter.category ? `category ${filter.category}` : filter.kind ? `kind ${filter.kind}` : "";
    this.#freshen();
  }

  /** How many items “archive all” means: only where the server can be asked for just what is listed. */
  #archivable() {
    const { state, category, kind, q } = this.#owner.filter;
    const { feed } = this.#view;
    if (q || !/all|unread/.test(state) || (category && kind)) return 0;
    if (feed.loaded && !feed.hasMore)
      return feed.items.filter(({ read_at }) => state === "all" || !read_at).length + feed.fresh;
    if (this.#facets?.state !== state) return 0; // not counted yet
    const known = (category ? this.#facets?.categories : this.#facets?.kinds) ?? [];
    const name = category || kind;
    return (name ? known.find((facet) => facet.name === name)?.total : this.#facets?.total) ?? 0;
  }

  /** A number, with a plus where only that many of a longer list were counted. @param {number} count */
  #atLeast(count) {
    return `${numeral(count, this.#owner.client.locale)}${this.#facets?.more ? "+" : ""}`;
  }

  /** @returns {HTMLElement[]} */
  #options() {
    const owner = this.#owner;
    const { category, kind } = owner.filter;
    const option = (/** @type {string} */ value, /** @type {string} */ name, /** @type {number} */ count) => {
      const number = this.#facets ? ` (${this.#atLeast(count)})` : "";
      const made = /** @type {HTMLOptionElement} */ (h("option", {}, `${name}${number}`));
      made.value = value; // also the empty one
      return made;
    };
    const group = (
      /** @type {"category" | "kind"} */ field,
      /** @type {string} */ chosen,
      /** @type {Facet[]} */ known,
    ) => {
      const all =
        known.some(({ name }) => name === chosen) || !chosen
          ? known
          : [{ name: chosen, label: chosen, total: 0 }, ...known];
      const options = all.map(({ name, label, total }) => option(`${field} ${name}`, label, total));
      return options.length ? [h("optgroup", { label: owner.text(field) }, ...options)] : [];
    };
    return [
      option("", owner.text("everything"), this.#facets?.total ?? 0),
      ...group("category", category, this.#facets?.categories ?? []),
      ...group("kind", kind, this.#facets?.kinds ?? []),
    ];
  }

  #choose() {
    const [field, ...name] = this.#narrow.value.split(" ");
    this.#owner.list({ category: "", kind: "", ...(field && { [field]: name.join(" ") }) });
  }

  #type() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#owner.list({ q: this.#search.value.trim() }), TYPING);
  }

  /** @param {"archive-all" | "read-all"} action */
  async #all(action) {
    const { client, filter } = this.#owner;
    const { feed, verbs } = this.#view;
    /** @type {HTMLElement | null} */ (this.root.closest("[tabindex]"))?.focus({ preventScroll: true }); // the button may go
    const done = await changeAll(client, action, filter, feed.items);
    if (done) verbs.offer(action === "archive-all" ? "archived" : "read", done.changed, done.back);
  }

  /** Ask for the numbers when something has changed, and people look. */
  async #freshen() {
    const { client, filter } = this.#owner;
    const question = `${filter.state} ${client.store.revision}`;
    if (this.#asking || question === this.#asked || !isVisible() || client.state.name === "signed-out") return;
    this.#asking = true;
    this.#asked = question;
    const found = await settled(() => client.ask(`${client.config.urls.filters}?state=${filter.state}`));
    if (found && client === this.#owner.client && this.#owner.filter.state === filter.state)
      this.#facets = { ...found, state: filter.state };
    setTimeout(() => {
      this.#asking = false;
      if (this.#owner.isConnected) this.render();
    }, AGAIN);
    this.render();
  }
}
