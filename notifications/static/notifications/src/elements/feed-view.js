/** A feed on the screen: its rows and every state it can be in. The bell's panel and the list page both show one. */

import { attempt } from "../core/browser.js";
import { KeyedList } from "../core/keyed-list.js";
import { firstDay } from "../core/locale.js";
import { button, h, iconButton } from "./dom.js";
import { icon } from "./feed-icons.js";
import { explain } from "./feed-note.js";
import { drawRow } from "./row.js";
import { RowWindow } from "./row-window.js";
import { dayOf, sections } from "./sections.js";
import { Verbs } from "./verbs.js";

/** @typedef {import("./notification-element.js").NotificationElement} NotificationElement */
/** @typedef {import("../inbox/feed.js").Feed} Feed */
/** @typedef {import("../inbox/types.js").Item} Item */
/** @typedef {{item: Item, section: string | undefined, element: HTMLElement}} Row one that did not change is the same object */
/** @typedef {import("../inbox/types.js").Failure} Failure */

export class FeedView {
  /** @type {Feed} */
  feed = /** @type {any} */ (null);
  /** Called when what was held back is shown. */
  onfresh = () => {};

  #pill = button("fresh", () => {
    this.feed.showFresh();
    this.#window.reset();
    this.#scroll.scrollTop = 0;
    this.root.scrollIntoView({ block: "nearest" });
    this.onfresh();
  });
  #skeleton = h("div", { class: "skeleton" });
  #note = h("div", { class: "note" });
  #newer = button("text more", () => this.#turn("newer"));
  #more = button("text more", () => this.#older());
  #failure = h("div", { class: "failure", role: "alert" });

  /** @type {RowWindow<Item>} */
  #window = new RowWindow();
  #scroll;
  #list = h("ul", { class: "items", role: "list" });
  /** @type {KeyedList<Item, Row>} */
  #rows;
  /** Where sections begin. @type {Map<number, string>} */
  #sections = new Map();
  #midnight = 0;

  /** @param {NotificationElement} owner */
  constructor(owner) {
    this.owner = owner;
    this.verbs = new Verbs(this);
    this.#rows = new KeyedList(this.#list, {
      key: ({ id }) => id,
      draw: (item, row) => {
        const section = this.#sections.get(item.id);
        if (row?.item === item && row.section === section) return row;
        return { item, section, element: drawRow(item, owner, this.verbs, section) };
      },
    });
    this.#scroll = h(
      "div",
      { class: "scroll" },
      this.#pill,
      this.#newer,
      this.#list,
      this.#skeleton,
      this.#note,
      this.#more,
    );
    this.root = h("div", { class: "feed" }, this.#scroll, this.verbs.bar.root, this.#failure, this.verbs.dialog.root);
  }

  /**
   * Show `feed` from now on.
   * @param {Feed} feed
   * @returns {Promise<void>} when its first page is there
   */
  show(feed) {
    this.close();
    this.feed = feed;
    this.#window.reset();
    return feed.load();
  }

  /**
   * Try again what failed while there was no connection.
   * @param {string} state of the connection, now
   */
  retry(state) {
    if (state === "signed-out") {
      this.#failure.replaceChildren();
      this.verbs.bar.close();
    }
    const { error, loaded } = this.feed;
    if ((error || !loaded) && /live|polling/.test(state)) this.feed.loadMore();
  }

  /** Nobody looks any more. */
  close() {
    this.feed?.hold(false);
    clearTimeout(this.#midnight);
    this.#failure.replaceChildren();
  }

  render() {
    const { feed, owner } = this;
    const { items, loading, fresh } = feed;
    const over = owner.client.state.name === "signed-out";
    const error = over || feed.error;
    const focused = owner.shadowRoot?.activeElement;
    const [start, end] = this.#window.range(items);
    this.#divide(items, start);
    const moved = this.#rows.render(items.slice(start, end));
    if (moved) this.#rows.restore(moved);
    this.verbs.selection?.render(this.#list);
    this.#scroll.ariaBusy = `${loading}`;
    this.#pill.hidden = !fresh;
    this.#pill.textContent = owner.text("fresh", { count: fresh });
    feed.refill();
    this.#skeleton.hidden = !!items.length || !!error || feed.empty;
    this.#newer.hidden = !start;
    this.#newer.textContent = owner.text("newer");
    this.#more.hidden = !items.length || !(end < items.length || feed.hasMore || error);
    this.#more.textContent = this.#more.hidden ? "" : this.#offer();
    this.#note.hidden = !!items.length || !(feed.empty || error);
    if (!this.#note.hidden) explain(this.#note, feed, owner);
    // A row that has gone, or a button that has done its work, leaves the focus to what is around it.
    const { activeElement } = owner.shadowRoot ?? {};
    const lost = focused && !(activeElement && attempt(() => activeElement.checkVisibility(), true));
    if (lost) /** @type {HTMLElement} */ (this.root.closest("[tabindex]")).focus({ preventScroll: true });
  }

  /**
   * Tell that an action could not be done.
   * @param {Failure} failure
   */
  fail({ action, message, retry }) {
    if (action === "seen") return; // it will be done with the next look
    const close = () => this.#failure.replaceChildren();
    const over = this.owner.client.state.name === "signed-out";
    const again = () => {
      close();
      if (over) location.reload();
      else retry();
    };
    this.#failure.replaceChildren(
      h("span", {}, message),
      button("text", again, this.owner.text(over ? "reload" : "retry")),
      iconButton(icon("close"), this.owner.text("dismiss"), close),
    );
  }

  /** The item of the row that a node is in. @param {Element} node @returns {Item[]} */
  itemsAt(node) {
    const id = Number(/** @type {HTMLElement | null} */ (node.closest("li[data-id]"))?.dataset.id);
    return this.feed.items.filter((item) => item.id === id);
  }

  /** Find where sections begin, now and at midnight again. @param {readonly Item[]} items @param {number} start of the rows */
  #divide(items, start) {
    const { client } = this.owner;
    const now = new Date(client.now());
    const names = sections(items.slice(start), now, firstDay(client.locale));
    this.#sections = new Map([...names].map(([id, name]) => [id, this.owner.text(name)]));
    clearTimeout(this.#midnight);
    this.#midnight = setTimeout(() => this.owner.isConnected && this.render(), dayOf(now, 1).getTime() - now.getTime());
  }

  /** Show older ones: those that are here, or the next page. */
  async #older() {
    if (this.#window.range(this.feed.items)[1] === this.feed.items.length) await this.feed.loadMore();
    this.#turn("older");
  }

  /** Let rows come at one end and go at the other, and keep in its place what is in sight. @param {"older" | "newer"} way */
  #turn(way) {
    const kept = this.#rows.rows.at(way === "newer" ? 0 : -1)?.element;
    const before = kept?.getBoundingClientRect().top ?? 0;
    this.#list.style.overflowAnchor = "none"; // the browser would keep another row in place, where it can
    this.#window[way](this.feed.items);
    this.render();
    const shift = kept?.isConnected ? kept.getBoundingClientRect().top - before : 0;
    const inside = this.#scroll.scrollHeight > this.#scroll.clientHeight;
    if (shift) (inside ? this.#scroll : document.documentElement).scrollBy(0, shift);
  }

  /** What the button at the end of the list says. */
  #offer() {
    if (this.feed.loading) return this.owner.text("loading");
    if (this.feed.error) return `${this.feed.error} ${this.owner.text("retry")}`;
    return this.owner.text("loadMore");
  }
}
