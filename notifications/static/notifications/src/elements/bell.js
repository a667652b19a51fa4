/** `<notification-bell>`: the bell with its number, and the panel that it opens. */

import { popoverOf } from "../core/browser.js";
import { numeral } from "../core/locale.js";
import { button, h } from "./dom.js";
import { FeedView } from "./feed-view.js";
import { icon } from "./icons.js";
import { NotificationElement } from "./notification-element.js";

const MOST = 99; // a larger number says only that there are many
const MARGIN = 8; // px between the panel and the edges of the window

export class NotificationBell extends NotificationElement {
  /** @type {"all" | "unread"} */
  #state = "all";

  #badge = h("span", { class: "badge", "aria-hidden": "true" });
  #heading = h("h2", { id: "heading" });
  #readAll = button("text read-all", () => {
    this.#panel.focus(); // the button is about to go
    this.client.markAllRead();
  });
  #all = button("filter", () => this.#choose("all"));
  #unread = button("filter", () => this.#choose("unread"));
  #link = /** @type {HTMLAnchorElement} */ (h("a", { class: "text see-all" }));
  #view = new FeedView(this);

  #panel = h(
    "div",
    { class: "panel", popover: "auto", role: "dialog", "aria-labelledby": "heading", tabindex: "-1" },
    h(
      "div",
      { class: "head" },
      this.#heading,
      this.#readAll,
      h("connection-status", { class: "status", quiet: true }),
      h("div", { class: "filters", role: "group", "aria-labelledby": "heading" }, this.#all, this.#unread),
    ),
    this.#view.root,
    h("div", { class: "foot" }, this.#link),
  );

  #button = /** @type {HTMLButtonElement} */ (
    button("bell", null, icon("bell"), { "aria-haspopup": "dialog", "aria-expanded": "false" })
  );

  build() {
    this.#heading.textContent = this.text("notifications");
    this.#readAll.textContent = this.text("markAllRead");
    this.#all.textContent = this.text("all");
    this.#unread.textContent = this.text("unread");
    this.#link.textContent = this.text("seeAll");
    this.#link.href = this.client.config.urls.page ?? "";
    this.#button.append(this.#badge, h("connection-status", { class: "trouble", variant: "dot", quiet: true }));
    if (!popoverOf(this.#button, this.#panel)) {
      this.#panel.hidden = true;
      this.#button.onclick = () => location.assign(this.#link.href);
    }
    this.#panel.addEventListener("beforetoggle", (event) =>
      this.#toggle(/** @type {ToggleEvent} */ (event).newState === "open"),
    );
    this.#panel.addEventListener("toggle", () => {
      this.#place();
      if (this.open) this.#panel.focus();
    });
    return [this.#button, this.#panel];
  }

  /** @param {AbortSignal} signal */
  listen(signal) {
    const place = () => this.#place();
    addEventListener("resize", place, { signal });
    addEventListener("scroll", place, { signal, capture: true });
    signal.addEventListener("abort", () => this.#toggle(false)); // taken out of the page, a popover closes without a word
    this.on("state", ({ to }) => {
      if (to === "signed-out") this.replaceChildren();
      if (this.open) this.#view.retry(to);
    });
    this.on("notification", ({ items, total }) => this.#arrived(items[0].title, total));
    this.on("failure", (failure) => this.open && this.#view.fail(failure));
  }

  /** Whether the panel is open; also the attribute `open`. */
  get open() {
    return this.hasAttribute("open");
  }

  render() {
    const { unseen, unread } = this.client.counts;
    const { locale } = this.client;
    const count = unseen > MOST ? `${numeral(MOST, locale)}+` : numeral(unseen, locale);
    const name = unseen ? this.text("bell", { count }) : this.text("notifications");
    this.setAttribute("count", `${unseen}`);
    this.#button.ariaLabel = name;
    this.#button.title = name;
    this.#badge.hidden = !unseen;
    this.#badge.textContent = count;
    this.#readAll.hidden = !unread;
    this.#all.ariaPressed = `${this.#state === "all"}`;
    this.#unread.ariaPressed = `${this.#state === "unread"}`;
    if (this.open) this.#view.render();
  }

  /** @param {boolean} open */
  #toggle(open) {
    if (open === this.open) return;
    this.toggleAttribute("open", open);
    this.#button.ariaExpanded = `${open}`;
    if (open) {
      this.#choose(this.#state);
      this.#place();
    } else {
      if (this.#panel.contains(/** @type {Element} */ (this.shadowRoot?.activeElement))) this.#button.focus();
      this.#view.close();
    }
  }

  /** @param {"all" | "unread"} state */
  #choose(state) {
    this.#state = state;
    const feed = this.client.feed({ state });
    this.#view.show(feed).then(() => {
      feed.hold(this.open && feed === this.#view.feed); // what is there stays in place
      if (this.open) this.client.markSeen();
    });
    this.render();
  }

  /** @param {string} title @param {number} total */
  #arrived(title, total) {
    if (this.open) this.client.markSeen();
    else if (document.querySelector("notification-toasts:defined")) return; // they speak
    this.announce(total > 1 ? this.text("arrivedMany", { count: total }) : this.text("arrived", { title }));
  }

  /** Put the panel below the bell, inside the window. */
  #place() {
    if (!this.open) return;
    const { left, right, bottom } = this.#button.getBoundingClientRect();
    const { clientWidth } = document.documentElement;
    const width = this.#panel.offsetWidth;
    const wanted = getComputedStyle(this).direction === "rtl" ? left : right - width;
    const start = Math.max(MARGIN, Math.min(wanted, clientWidth - width - MARGIN));
    this.#panel.style.cssText = `left:${start}px;--top:${bottom + MARGIN}px`;
  }
}
