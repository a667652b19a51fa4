/** What `<notification-list>` shows: filters, the list, and what the visitor may ask for beside. */

import { hasDesktop, isVisible, showAddress, whenSeen } from "../core/browser.js";
import { button, h } from "./dom.js";
import { FeedView } from "./feed-view.js";

/** @typedef {import("./list.js").State} State */
/** @typedef {import("../inbox/alerts.js").Alerts} Alerts */

export class ListView {
  #owner;
  #served;
  #readAll = button("text read-all", () => {
    this.root.focus({ preventScroll: true }); // the button is about to go
    this.#owner.client.markAllRead();
  });
  #filters = h("nav", { class: "filters" });
  #top = h("div");
  #view;
  /** Show how the visitor's options stand: another tab, or a browser that breaks its word, changes them. @type {(() => void)[]} */
  #options = [];

  /**
   * @param {import("./list.js").NotificationList} owner
   * @param {readonly State[]} states
   * @param {HTMLElement} served what the server rendered
   */
  constructor(owner, states, served) {
    this.#owner = owner;
    this.#served = served;
    this.#view = new FeedView(owner);
    this.#readAll.textContent = owner.text("markAllRead");
    this.#filters.ariaLabel = owner.text("notifications");
    this.#filters.append(...states.map((state) => this.#filter(state, owner.text(state))));
    this.root = h(
      "div",
      { class: "card", hidden: true, tabindex: "-1" },
      h("div", { class: "head" }, this.#filters, this.#readAll),
      this.#top,
      this.#view.root,
      owner.client.alerts ? this.#drawOptions() : null,
    );
  }

  /** @param {AbortSignal} signal */
  listen(signal) {
    const look = () => void (isVisible() && this.#owner.client.markSeen());
    let atTop = true;
    // Nothing moves under the pointer, nor where the focus is.
    const hold = () => {
      const busy = this.#view.root.matches(":is(:hover, :focus-within)");
      this.#view.feed.hold(!this.root.hidden && (busy || !atTop));
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
    this.#owner.on("state", ({ to }) => this.#view.retry(to));
    this.#owner.on("notification", look);
    this.#owner.on("failure", (failure) => this.#view.fail(failure));
    this.choose();
    look();
  }

  render() {
    const { loaded, error } = this.#view.feed;
    if (loaded || error || this.#owner.client.state.name === "signed-out") {
      this.#served.hidden = true;
      this.root.hidden = false;
    }
    for (const show of this.#options) show();
    this.#readAll.hidden = !this.#owner.client.counts.unread;
    for (const link of this.#filters.children) {
      if (link.getAttribute("data-state") === this.#owner.state) link.ariaCurrent = "page";
      else link.ariaCurrent = null;
    }
    this.#view.render();
  }

  /** Show what the attributes say. */
  choose() {
    const { client, state, category } = this.#owner;
    this.#view.show(client.feed({ state, category }));
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
      if (!asking) box.checked = !!this.#owner.client.alerts?.[name];
    };
    const onchange = async () => {
      asking = true;
      await set(/** @type {Alerts} */ (this.#owner.client.alerts), box.checked);
      asking = false;
      show();
    };
    const box = /** @type {HTMLInputElement} */ (h("input", { type: "checkbox", onchange }));
    this.#options.push(show);
    return h("label", {}, box, this.#owner.text(name));
  }

  /** @param {State} state @param {string} name */
  #filter(state, name) {
    const { page = "" } = this.#owner.client.config.urls;
    const href = page + (state === "all" ? "" : `?state=${state}`);
    /** @param {MouseEvent} event */
    const onclick = (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return; // a new tab or window is wanted
      event.preventDefault();
      this.#owner.state = state;
      if (location.pathname === page) showAddress(href);
    };
    return h("a", { class: "filter", "data-state": state, href, onclick }, name);
  }
}
