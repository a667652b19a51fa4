/** A feed on the screen: its rows and every state it can be in. The bell's panel and the list page both show one. */

import { button, h } from "./notification-element.js";
import { icon } from "./icons.js";
import { Rows } from "./rows.js";

/** @typedef {import("./notification-element.js").NotificationElement} NotificationElement */
/** @typedef {import("../inbox/feed.js").Feed} Feed */

export class FeedView {
  /** @type {Feed} */
  feed = /** @type {any} */ (null);

  #pill = button("fresh", () => {
    this.feed.showFresh();
    this.#scroll.scrollTop = 0;
    this.root.scrollIntoView({ block: "nearest" });
  });
  #skeleton = h("div", { class: "skeleton" });
  #note = h("div", { class: "note" });
  #more = button("text more", () => this.feed.loadMore());
  #failure = h("div", { class: "failure", role: "alert" });

  /** @param {NotificationElement} owner */
  constructor(owner) {
    this.owner = owner;
    this.rows = new Rows(owner);
    this.#scroll = h("div", { class: "scroll" }, this.#pill, this.rows.list, this.#skeleton, this.#note, this.#more);
    this.root = h("div", { class: "feed" }, this.#scroll, this.#failure);
  }

  #scroll;

  /**
   * Show `feed` from now on.
   * @param {Feed} feed
   * @returns {Promise<void>} when its first page is there
   */
  show(feed) {
    this.close();
    this.feed = feed;
    return feed.load();
  }

  /**
   * Try again what failed while there was no connection.
   * @param {string} state of the connection, now
   */
  revive(state) {
    if (this.feed.error && (state === "live" || state === "polling")) this.feed.loadMore();
  }

  /** Nobody looks any more. */
  close() {
    this.feed?.hold(false);
    this.#failure.replaceChildren();
  }

  render() {
    const { feed, owner } = this;
    const { items, loaded, loading, error, fresh } = feed;
    const focused = owner.shadowRoot?.activeElement;
    this.rows.render(items);
    this.#scroll.ariaBusy = `${loading}`;
    this.#pill.hidden = !fresh;
    this.#pill.textContent = owner.text("fresh", { count: fresh });
    this.#skeleton.hidden = loaded || !!error || !!items.length;
    this.#more.hidden = !items.length || !(feed.hasMore || error);
    this.#more.textContent = this.#more.hidden ? "" : this.#offer();
    this.#note.hidden = !!items.length || !(loaded || error);
    if (!this.#note.hidden) this.#note.replaceChildren(...(error ? this.#error(error) : this.#empty()));
    // A row that has gone, or a button that has done its work, leaves the focus to what is around it.
    const lost = focused && !owner.shadowRoot?.activeElement?.checkVisibility();
    if (lost) /** @type {HTMLElement} */ (this.root.closest("[tabindex]")).focus({ preventScroll: true });
  }

  /**
   * Tell that an action could not be done.
   * @param {{action: string, message: string, retry: () => void}} failure
   */
  fail({ action, message, retry }) {
    if (action === "seen") return; // it will be done with the next look
    const close = () => this.#failure.replaceChildren();
    const label = this.owner.text("dismiss");
    const again = () => {
      close();
      retry();
    };
    this.#failure.replaceChildren(
      h("span", {}, message),
      button("text", again, this.owner.text("retry")),
      button("icon", close, icon("close"), { title: label, "aria-label": label }),
    );
  }

  /** What the button at the end of the list says. */
  #offer() {
    if (this.feed.loading) return this.owner.text("loading");
    if (this.feed.error) return `${this.feed.error} ${this.owner.text("retry")}`;
    return this.owner.text("loadMore");
  }

  /** @param {string} message */
  #error(message) {
    const retry = button("text", () => this.feed.load(), this.owner.text("retry"));
    return [h("span", { class: "level", "data-level": "error" }, icon("error")), h("strong", {}, message), retry];
  }

  #empty() {
    const { state } = this.feed.filter;
    return [
      h("span", { class: "level", "data-level": "info" }, icon(state === "archived" ? "archive" : "check")),
      h("strong", {}, this.owner.text(`empty-${state}`)),
      h("span", {}, this.owner.text(`empty-${state}-hint`)),
    ];
  }
}
