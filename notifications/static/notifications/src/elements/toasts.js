/** `<notification-toasts>`: what has just arrived, for a moment, in a corner. */

import { isVisible } from "../core/browser.js";
import { button, face, h, iconButton, isLink, link, text } from "./dom.js";
import { people, tally } from "./growth.js";
import { icon } from "./icons.js";
import { NotificationElement } from "./notification-element.js";

/** @typedef {import("../inbox/types.js").Item} Item */
/** @typedef {Pick<Item, "level" | "title" | "body" | "url"> & Partial<Pick<Item, "id" | "actor" | "group" | "icon">>} Content */

const MOST = 3; // toasts at once; more is told by a number
const STAY = 7_000; // ms, unless the attribute `duration` says otherwise
const LOOK = 1_000; // ms until it is looked again whether somebody reads: who dismisses a toast leaves it without an event

export class NotificationToasts extends NotificationElement {
  /** @type {Map<HTMLElement, number>} each toast with the ms that it still stays; Infinity: until it is dismissed */
  #toasts = new Map();

  #timer = 0;
  #since = 0;
  #paused = false;
  #list = h("ol", { class: "toasts", role: "list" });
  #section = h("section", { hidden: true }, this.#list);

  build() {
    const run = () => this.#run();
    for (const type of ["pointerenter", "pointerleave", "focusin", "focusout"]) this.#list.addEventListener(type, run);
    this.#section.ariaLabel = this.text("notifications");
    return [this.#section];
  }

  /** @param {AbortSignal} signal */
  listen(signal) {
    document.addEventListener("visibilitychange", () => this.#run(), { signal });
    signal.addEventListener("abort", () => this.clear());
    this.on("notification", ({ items, total }) => this.#arrived(items, total));
    this.on("grown", ({ items }) => this.#redraw(items));
    this.on("failure", (failure) => this.#failed(failure));
    this.on("state", ({ to }) => to === "signed-out" && this.clear());
    this.on("seen", () => this.clear(true));
  }

  render() {
    if (panelOpen()) this.clear(true);
  }

  /**
   * Take the toasts away.
   * @param {boolean} [passing] only those that would go by themselves
   */
  clear(passing = false) {
    for (const [toast, rest] of this.#toasts) if (!passing || rest < Infinity) this.#remove(toast);
  }

  /** @param {Item[]} items oldest first @param {number} total */
  #arrived(items, total) {
    if (!isVisible() || panelOpen() || items.every(isOpen)) return;
    if (total <= MOST) {
      for (const item of items.filter((item) => !isOpen(item)))
        this.#add(item, () => (item.url ? this.client.follow(item.id) : this.client.markRead(item.id)));
      return;
    }
    this.clear(true);
    const title = this.text("arrivedMany", { count: total });
    this.#add({ level: "info", title, body: "", url: this.client.config.urls.page ?? "" });
  }

  /** @param {import("../inbox/types.js").Failure} failure */
  #failed({ action, message, retry }) {
    if (action === "seen" || panelOpen() || document.querySelector("notification-list:defined")) return;
    this.#add({ level: "error", title: message, body: "", url: "" }, undefined, retry);
  }

  /** What has grown is told again where it stands, and stays no longer for it. @param {Item[]} items */
  #redraw(items) {
    for (const item of items) {
      const main = this.#list.querySelector(`[data-id="${item.id}"] > .main`);
      main?.replaceChildren(...this.#content(item));
      if (main?.hasAttribute("href") && isLink(item.url)) main.setAttribute("href", item.url);
    }
  }

  /** @param {Content} content @returns {(Node | string)[]} */
  #content({ level, title, body, actor = null, icon: picture, group }) {
    const names = group && people({ title, actor, group }, this);
    const words = [
      text("title", title),
      body ? text("body", body) : null,
      names && names !== actor?.name ? text("meta", names) : null,
    ];
    const parts = [
      face(actor, picture, () => icon(level)),
      h("span", { class: "words" }, ...words),
      tally({ group }, this),
    ];
    return parts.filter((part) => part !== null);
  }

  /**
   * @param {Content} content
   * @param {() => void} [follow] what happens beside when its link is followed
   * @param {() => void} [retry] gives the toast a button; it stays until it is dismissed
   */
  #add(content, follow, retry) {
    const { id, level, title, url } = content;
    const remove = () => this.#remove(toast);
    const after = (/** @type {(() => void) | undefined} */ act) => () => {
      act?.();
      remove();
    };
    const toast = h(
      "li",
      {
        class: "toast",
        "data-id": id,
        "data-level": level,
        onkeydown: (/** @type {KeyboardEvent} */ event) => event.key === "Escape" && remove(),
      },
      link(url, after(follow), ...this.#content(content)),
      retry ? button("text", after(retry), this.text("retry")) : null,
      iconButton(icon("close"), this.text("dismiss"), remove, title),
    );
    this.#settle();
    this.#toasts.set(toast, retry ? Infinity : Number(this.getAttribute("duration")) || STAY);
    this.#list.append(toast);
    this.#section.hidden = false;
    const passing = [...this.#toasts].filter(([, rest]) => rest < Infinity);
    for (const [old] of passing.slice(0, Math.max(0, this.#toasts.size - MOST))) this.#remove(old);
    this.announce(follow ? this.text("arrived", { title }) : title);
    this.#run();
  }

  /** @param {HTMLElement} toast */
  #remove(toast) {
    this.#settle();
    // Not after a click: the focus would keep the next one for ever, and nobody sees why.
    const next = toast.querySelector(":focus-visible") && (toast.nextElementSibling ?? toast.previousElementSibling);
    this.#toasts.delete(toast);
    toast.remove();
    this.#section.hidden = !this.#toasts.size;
    if (next) /** @type {HTMLElement | null} */ (next.querySelector("a, button"))?.focus();
    this.#run();
  }

  /** Count the time that has passed, unless somebody was reading. */
  #settle() {
    const passed = this.#paused ? 0 : Date.now() - this.#since;
    for (const [toast, rest] of this.#toasts) this.#toasts.set(toast, rest - passed);
    this.#since = Date.now();
  }

  /** Set the clock to the toast that goes next, or stop it while somebody is reading. */
  #run() {
    this.#settle();
    this.#paused = !isVisible() || this.#list.matches(":is(:hover, :focus-within)");
    clearTimeout(this.#timer);
    const rest = Math.min(...this.#toasts.values());
    if (!isVisible() || rest === Infinity) return;
    if (this.#paused) this.#timer = setTimeout(() => this.#run(), LOOK);
    else this.#timer = setTimeout(() => this.#expire(), Math.max(0, rest));
  }

  #expire() {
    this.#settle();
    for (const [toast, rest] of this.#toasts) if (rest <= 0) this.#remove(toast);
    this.#run();
  }
}

/** Whether what it is about is on the screen: a message in the room that is open. @param {Item} item */
function isOpen({ data }) {
  return !!data?.room && !!document.querySelector(`chat-room[room="${Number(data.room)}"]`);
}

/** Whether a panel is open: what arrives is seen there. */
function panelOpen() {
  return !!document.querySelector("notification-bell[open]");
}
