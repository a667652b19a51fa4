/** What `<notification-list>` shows: filters, the list, and what the visitor may ask for beside. */

import { isAttended, whenAttended } from "../core/attention.js";
import { hasDesktop, showAddress, whenSeen } from "../core/browser.js";
import { h, iconButton } from "./dom.js";
import { icon } from "./feed-icons.js";
import { FeedView } from "./feed-view.js";
import { ListTools } from "./list-tools.js";
import { Selection } from "./selection.js";
import { Shortcuts } from "./shortcuts.js";

/** @typedef {import("./list.js").State} State */
/** @typedef {import("../inbox/alerts.js").Alerts} Alerts */

export class ListView {
  #owner;
  #served;
  #filters = h("nav", { class: "filters" });
  #top = h("div");
  #view;
  #tools;
  /** Show how the visitor's options stand: another tab, or a browser that breaks its word, changes them. @type {(() => void)[]} */
  #options = [];
  /** Mark as seen what is in view, if somebody looks. */
  #look = () => {};

  /**
   * @param {import("./list.js").NotificationList} owner
   * @param {readonly State[]} states
   * @param {HTMLElement} served what the server rendered
   */
  constructor(owner, states, served) {
    this.#owner = owner;
    this.#served = served;
    this.#view = new FeedView(owner);
    this.#tools = new ListTools(owner, this.#view);
    const selection = new Selection(this.#view);
    this.#filters.ariaLabel = owner.text("notifications");
    this.#filters.append(...states.map((state) => this.#filter(state, owner.text(state))));
    this.root = h(
      "div",
      { class: "card", hidden: true, tabindex: "-1" },
      h("div", { class: "head" }, this.#filters, this.#tools.read, this.#tools.archive),
      h("div", { class: "bar" }, this.#tools.root, selection.root),
      this.#top,
      this.#view.root,
    );
    const toggle = (/** @type {import("../inbox/types.js").Item[]} */ items) => {
      for (const { id } of items) selection.toggle(id);
    };
    const keys = new Shortcuts(this.#view, this.root, { x: toggle, "/": () => this.#tools.focus() });
    const help = iconButton(icon("keys"), owner.text("shortcuts"), () => keys.show());
    this.root.append(h("div", { class: "options" }, ...(owner.client.alerts ? this.#drawOptions() : []), help));
  }

  /** @param {AbortSignal} signal */
  listen(signal) {
    let atTop = false;
    const look = () => {
      if (atTop && isAttended() && this.#showsNew()) this.#owner.client.markSeen();
    };
    this.#view.onfresh = look;
    // Nothing moves under the pointer, nor where the focus is.
    const hold = () => {
      const busy = this.#view.root.matches(":is(:hover, :focus-within)");
      this.#view.feed.hold(!this.root.hidden && (busy || !atTop));
    };
    const unwatch = whenSeen(this.#top, (seen) => {
      atTop = seen;
      hold();
      look();
    });
    for (const type of ["pointerenter", "pointerleave", "focusin"])
      this.#view.root.addEventListener(type, hold, { signal });
    this.#view.root.addEventListener("focusout", () => setTimeout(hold), { signal });
    signal.addEventListener("abort", () => {
      unwatch();
      this.#view.close();
    });
    whenAttended(look, signal);
    this.#owner.on("state", ({ to }) => this.#view.retry(to));
    this.#owner.on("notification", look);
    this.#owner.on("grown", (event) => {
      look();
      if (!document.querySelector("notification-bell:defined")) this.#owner.announceGrowth(event); // else the bell does
    });
    this.#owner.on("failure", (failure) => this.#view.fail(failure));
    this.#look = look;
    this.choose();
  }

  render() {
    const { loaded, error } = this.#view.feed;
    if (loaded || error || this.#owner.client.state.name === "signed-out") {
      this.#served.hidden = true;
      this.root.hidden = false;
    }
    for (const show of this.#options) show();
    this.#tools.render();
    for (const link of this.#filters.children) {
      if (link.getAttribute("data-state") === this.#owner.state) link.ariaCurrent = "page";
      else link.ariaCurrent = null;
    }
    this.#view.render();
  }

  /** Show what the attributes say. */
  choose() {
    const { client, filter } = this.#owner;
    this.#view.show(client.feed(filter)).then(() => this.#look());
  }

  /** Whether what is new is in view where the list begins: nothing is left out, or waits behind its button. */
  #showsNew() {
    const { state, category, kind, q } = this.#owner.filter;
    const { loaded, fresh } = this.#view.feed;
    return loaded && !fresh && !category && !kind && !q && (state === "all" || state === "unread");
  }

  /** Let the page's address say what is listed, so that it is after a reload. */
  remember() {
    const { page = "" } = this.#owner.client.config.urls;
    if (location.pathname === page) showAddress(this.#address({}));
  }

  /** @param {{state?: State}} changes */
  #address(changes) {
    const { state, ...others } = { ...this.#owner.filter, ...changes };
    const given = Object.entries({ state: state === "all" ? "" : state, ...others }).filter(([, value]) => value);
    const query = new URLSearchParams(given).toString();
    return (this.#owner.client.config.urls.page ?? "") + (query && `?${query}`);
  }

  /** What the visitor may ask for beside: nothing rings or pops up unasked. */
  #drawOptions() {
    const sound = this.#option("sound", (alerts, on) => alerts.setSound(on));
    const desktop = hasDesktop() ? this.#option("desktop", (alerts, on) => alerts.setDesktop(on)) : null;
    return desktop ? [sound, desktop] : [sound];
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
    /** @param {MouseEvent} event */
    const onclick = (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return; // a new tab or window is wanted
      event.preventDefault();
      this.#owner.list({ state });
    };
    return h("a", { class: "filter", "data-state": state, href: this.#address({ state }), onclick }, name);
  }
}
