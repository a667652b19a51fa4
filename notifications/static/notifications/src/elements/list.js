/** `<notification-list>`: the inbox as a full page. */

import { hasDesktop, isVisible, showAddress, whenSeen } from "../core/browser.js";
import { button, h } from "./dom.js";
import { FeedView } from "./feed-view.js";
import { NotificationElement } from "./notification-element.js";

/** @typedef {"all" | "unread" | "archived"} State */
/** @typedef {import("../inbox/alerts.js").Alerts} Alerts */

const STATES = /** @type {const} */ (["all", "unread", "archived"]);

export class NotificationList extends NotificationElement {
  static observedAttributes = ["state", "category"];

  #readAll = button("text read-all", () => {
    this.#card.focus({ preventScroll: true }); // the button is about to go
    this.client.markAllRead();
  });
  #filters = h("nav", { class: "filters" });
  #top = h("div");
  #view = new FeedView(this);
  #head = h("div", { class: "head" }, this.#filters, this.#readAll);
  #card = h("div", { class: "card", hidden: true, tabindex: "-1" }, this.#head, this.#top, this.#view.root);
  /** Show how the visitor's options stand: another tab, or a browser that breaks its word, changes them. @type {(() => void)[]} */
  #options = [];
  #served = h("slot"); // what the server rendered stays until there is something better

  /** @type {State} what is listed; also the attribute `state` */
  get state() {
    const name = this.getAttribute("state");
    return STATES.find((state) => state === name) ?? "all";
  }

  set state(state) {
    this.setAttribute("state", state);
  }

  build() {
    this.#readAll.textContent = this.text("markAllRead");
    this.#filters.ariaLabel = this.text("notifications");
    this.#filters.append(...STATES.map((state) => this.#filter(state, this.text(state))));
    if (this.client.alerts) this.#card.append(this.#drawOptions());
    return [this.#served, this.#card];
  }

  /** @param {AbortSignal} signal */
  listen(signal) {
    const look = () => void (isVisible() && this.client.markSeen());
    let atTop = true;
    // Nothing moves under the pointer, nor where the focus is.
    const hold = () => {
      const busy = this.#view.root.matches(":is(:hover, :focus-within)");
      this.#view.feed.hold(!this.#card.hidden && (busy || !atTop));
    };
    const unwatch = whenSeen(this.#top, (seen) => {
      atTop = seen;
      hold();
    });
    for (const type of ["pointerenter", "pointerleave", "focusin"])
      this.#view.root.addEventListener(type, hold, { signal });
    this.#view.root.addEventListener("focusout", () => setTimeout(hold), { signal });
    signal.addEventListener("abort", () => {
      unwatch();
      this.#view.close();
    });
    document.addEventListener("visibilitychange", look, { signal });
    this.on("state", ({ to }) => {
      if (to === "signed-out") this.replaceChildren(); // what the server rendered is the user's too
      this.#view.retry(to);
    });
    this.on("notification", look);
    this.on("failure", (failure) => this.#view.fail(failure));
    this.#choose();
    look();
  }

  attributeChangedCallback() {
    if (!this.client) return;
    this.#choose();
    this.render();
  }

  render() {
    const { loaded, error } = this.#view.feed;
    if (loaded || error || this.client.state.name === "signed-out") {
      this.#served.hidden = true;
      this.#card.hidden = false;
    }
    for (const show of this.#options) show();
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

  /** What the visitor may ask for beside: nothing rings or pops up unasked. */
  #drawOptions() {
    const sound = this.#option("sound", (alerts, on) => alerts.setSound(on));
    const desktop = hasDesktop() ? this.#option("desktop", (alerts, on) => alerts.setDesktop(on)) : null;
    return h("div", { class: "options" }, sound, desktop);
  }

  /**
   * @param {"sound" | "desktop"} name
   * @param {(alerts: Alerts, on: boolean) => Promise<boolean> | void} set what the browser may have to be asked for
   */
  #option(name, set) {
    let asking = false; // then the box shows what is wanted
    const show = () => {
      if (!asking) box.checked = !!this.client.alerts?.[name];
    };
    const onchange = async () => {
      asking = true;
      await set(/** @type {Alerts} */ (this.client.alerts), box.checked);
      asking = false;
      show();
    };
    const box = /** @type {HTMLInputElement} */ (h("input", { type: "checkbox", onchange }));
    this.#options.push(show);
    return h("label", {}, box, this.text(name));
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
      if (location.pathname === page) showAddress(href);
    };
    return h("a", { class: "filter", "data-state": state, href, onclick }, name);
  }
}
