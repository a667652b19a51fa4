/** What the bell's panel shows: its head with the filters, a feed, and the way to the inbox page. */

import { isAttended } from "../core/attention.js";
import { button, h } from "./dom.js";
import { FeedView } from "./feed-view.js";
import { Shortcuts } from "./shortcuts.js";

export class PanelView {
  #owner;
  #view;
  /** @type {"all" | "unread"} */
  #state = "all";
  #readAll;
  #all;
  #unread;

  /**
   * @param {import("./bell.js").NotificationBell} owner
   * @param {HTMLElement} panel
   */
  constructor(owner, panel) {
    this.#owner = owner;
    this.#view = new FeedView(owner);
    this.#view.onfresh = () => this.look();
    new Shortcuts(this.#view, panel);
    const readAll = () => {
      panel.focus(); // the button is about to go
      owner.client.markAllRead();
    };
    this.#readAll = button("text read-all", readAll, owner.text("markAllRead"));
    this.#all = button("filter", () => this.choose("all"), owner.text("all"));
    this.#unread = button("filter", () => this.choose("unread"), owner.text("unread"));
    panel.replaceChildren(
      h(
        "div",
        { class: "head" },
        h("h2", { id: "heading" }, owner.text("notifications")),
        this.#readAll,
        h("connection-status", { class: "status", quiet: true }),
        h("div", { class: "filters", role: "group", "aria-labelledby": "heading" }, this.#all, this.#unread),
      ),
      this.#view.root,
      h(
        "div",
        { class: "foot" },
        h("a", { class: "text see-all", href: owner.client.config.urls.page }, owner.text("seeAll")),
      ),
    );
  }

  /** Show what was chosen, or something else. @param {"all" | "unread"} [state] */
  choose(state = this.#state) {
    const { client } = this.#owner;
    this.#state = state;
    const feed = client.feed({ state });
    this.#view.show(feed).then(() => {
      feed.hold(this.#owner.open && feed === this.#view.feed); // what is there stays in place
      this.look();
    });
    this.render();
  }

  /** Mark as seen what is in view, if somebody looks; what waits behind its button is not. */
  look() {
    const { feed } = this.#view;
    if (this.#owner.open && isAttended() && feed?.loaded && !feed.fresh) this.#owner.client.markSeen();
  }

  render() {
    this.#readAll.hidden = !this.#owner.client.counts.unread;
    this.#all.ariaPressed = `${this.#state === "all"}`;
    this.#unread.ariaPressed = `${this.#state === "unread"}`;
    this.#view.render();
  }

  /** @param {string} state of the connection, now */
  retry(state) {
    this.#view.retry(state);
  }

  /** @param {import("../inbox/types.js").Failure} failure */
  fail(failure) {
    this.#view.fail(failure);
  }

  /** Nobody looks any more. */
  close() {
    this.#view.close();
  }
}
