/** A feed on the screen: its rows and every state it can be in. The bell's panel and the list page both show one. */

import { button, h } from "./element.js";
import { icon } from "./icons.js";
import { Rows } from "./rows.js";

/** @typedef {import("./element.js").NotificationElement} NotificationElement */
/** @typedef {import("../feed.js").Feed} Feed */

const EMPTY = {
  all: ["emptyAll", "You are all caught up", "emptyAllHint", "New notifications will appear here."],
  unread: ["emptyUnread", "Nothing unread", "emptyUnreadHint", "You have read everything."],
  archived: ["emptyArchived", "The archive is empty", "emptyArchivedHint", "What you archive is kept here."],
};

export class FeedView {
  /** @type {Feed} */
  feed = /** @type {any} */ (null);

  #pill = button("fresh", () => {
    this.feed.showFresh();
    this.#scroll.scrollTop = 0;
    this.root.scrollIntoView({ block: "nearest" });
  });
  #skeleton = h("div", { class: "skeleton" });
  #note = h("div", { class: "note", part: "note" });
  #more = button("text more", () => this.feed.loadMore());
  #failure = h("div", { class: "failure", part: "failure", role: "alert" });

  /** @param {NotificationElement} owner */
  constructor(owner) {
    this.owner = owner;
    this.rows = new Rows(owner);
    this.#scroll = h("div", { class: "scroll", part: "scroll" }, this.#pill, this.rows.list, this.#skeleton, this.#note, this.#more);
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
    this.rows.render(items);
    this.#scroll.ariaBusy = `${loading}`;
    this.#pill.hidden = !fresh;
    this.#pill.textContent = owner.text("fresh", "{count} new", { count: fresh });
    this.#skeleton.hidden = loaded || !!error || !!items.length;
    this.#more.hidden = !items.length || !(feed.hasMore || error);
    this.#more.textContent = loading ? owner.text("loading", "Loading…") : owner.text("loadMore", "Load more");
    if (error && !loading) this.#more.textContent = `${error} ${owner.text("retry", "Try again")}`;
    this.#note.hidden = !!items.length || !(loaded || error);
    if (!this.#note.hidden) this.#note.replaceChildren(...(error ? this.#error(error) : this.#empty()));
  }

  /**
   * Tell that an action could not be done.
   * @param {{message: string, retry: () => void}} failure
   */
  fail({ message, retry }) {
    const close = () => this.#failure.replaceChildren();
    const label = this.owner.text("dismiss", "Dismiss");
    const again = () => {
      close();
      retry();
    };
    this.#failure.replaceChildren(
      h("span", {}, message),
      button("text", again, this.owner.text("retry", "Try again")),
      button("icon", close, icon("close"), { title: label, "aria-label": label }),
    );
  }

  /** @param {string} message */
  #error(message) {
    const retry = button("text", () => this.feed.load(), this.owner.text("retry", "Try again"));
    return [h("span", { class: "level", "data-level": "error" }, icon("error")), h("strong", {}, message), retry];
  }

  #empty() {
    const { state } = this.feed.filter;
    const [key, title, hintKey, hint] = EMPTY[state];
    return [
      h("span", { class: "level", "data-level": "info" }, icon(state === "archived" ? "archive" : "check")),
      h("strong", {}, this.owner.text(key, title)),
      h("span", {}, this.owner.text(hintKey, hint)),
    ];
  }
}
