/** `<notification-list>`: the inbox as a full page. */

import { button, h, NotificationElement } from "./element.js";
import { FeedView } from "./feed.js";

/** @typedef {"all" | "unread" | "archived"} State */

/** @type {[State, string][]} */
const STATES = [
  ["all", "All"],
  ["unread", "Unread"],
  ["archived", "Archived"],
];

export class NotificationList extends NotificationElement {
  static observedAttributes = ["state", "category"];

  #readAll = button("text", () => this.client.markAllRead());
  #filters = h("nav", { class: "filters" });
  #top = h("div");
  #view = new FeedView(this);
  #card = h("div", { class: "card", part: "card", hidden: true, tabindex: "-1" }, h("header", { part: "header" }, this.#filters, this.#readAll), this.#top, this.#view.root);
  #served = h("slot"); // what the server rendered stays until there is something better

  /** @type {State} what is listed; also the attribute `state` */
  get state() {
    const name = this.getAttribute("state");
    return STATES.find(([state]) => state === name)?.[0] ?? "all";
  }

  set state(state) {
    this.setAttribute("state", state);
  }

  build() {
    this.#readAll.textContent = this.text("markAllRead", "Mark all as read");
    this.#filters.ariaLabel = this.text("notifications", "Notifications");
    this.#filters.append(...STATES.map(([state, english]) => this.#filter(state, this.text(state, english))));
    return [this.#served, this.#card];
  }

  listen() {
    const sight = new IntersectionObserver(([{ isIntersecting }]) => this.#view.feed.hold(!isIntersecting && !this.#card.hidden));
    const look = () => void (document.hidden || this.client.markSeen());
    sight.observe(this.#top);
    document.addEventListener("visibilitychange", look);
    this.#choose();
    look();
    return [
      () => this.#view.close(),
      () => sight.disconnect(),
      () => document.removeEventListener("visibilitychange", look),
      this.client.on("state", ({ to }) => this.#view.revive(to)),
      this.client.on("notification", look),
      this.client.on("failure", (failure) => {
        if (failure.action !== "load" && failure.action !== "seen") this.#view.fail(failure);
      }),
    ];
  }

  attributeChangedCallback() {
    if (!this.client) return;
    this.#choose();
    this.render();
  }

  render() {
    const { loaded, error } = this.#view.feed;
    if (loaded || error) this.#card.hidden = !(this.#served.hidden = true);
    this.#readAll.hidden = !this.client.counts.unread;
    for (const link of this.#filters.children) {
      if (link.getAttribute("data-state") === this.state) link.ariaCurrent = "page";
      else link.ariaCurrent = null;
    }
    this.#view.render();
  }

  #choose() {
    this.#view.show(this.client.feed({ state: this.state, category: this.getAttribute("category") ?? "" }));
  }

  /** @param {State} state @param {string} name */
  #filter(state, name) {
    const { page = "" } = this.client.config.urls;
    const href = page + (state === "all" ? "" : `?state=${state}`);
    /** @param {MouseEvent} event */
    const onclick = (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return; // a new tab or window is wanted
      event.preventDefault();
      this.state = state;
      if (location.pathname === page) history.replaceState(history.state, "", href);
    };
    return h("a", { part: "filter", "data-state": state, href, onclick }, name);
  }
}
