/** `<notification-bell>`: the bell with its number, and the panel that it opens. */

import { whenAttended } from "../core/attention.js";
import { popoverOf } from "../core/browser.js";
import { countText } from "../core/locale.js";
import { button, h } from "./dom.js";
import { draw } from "./icons.js";
import { NotificationElement } from "./notification-element.js";
import { loadViews } from "./panel.js";

const BELL = "M6 9a6 6 0 1 1 12 0c0 5 2 6.5 2 7.5H4c0-1 2-2.5 2-7.5M10 20a2.2 2.2 0 0 0 4 0";
const MARGIN = 8; // px between the panel and the edges of the window

export class NotificationBell extends NotificationElement {
  /** @type {import("./panel-view.js").PanelView | undefined} */
  #view;
  #badge = h("span", { class: "badge", "aria-hidden": "true" });
  #panel = h("div", { class: "panel", popover: "auto", role: "dialog", tabindex: "-1" });
  #near = () => loadViews(this.client, true);
  #button = /** @type {HTMLButtonElement} */ (
    button("bell", null, draw(BELL), {
      "aria-haspopup": "dialog",
      "aria-expanded": "false",
      onpointerenter: this.#near,
      onfocus: this.#near,
    })
  );

  build() {
    this.#panel.ariaLabel = this.text("notifications");
    this.#button.append(this.#badge, h("connection-status", { class: "trouble", variant: "dot", quiet: true }));
    if (!popoverOf(this.#button, this.#panel)) {
      this.#panel.hidden = true;
      this.#button.onclick = () => location.assign(this.client.config.urls.page ?? "");
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
      if (!this.open) return;
      if (this.#view) this.#view.retry(to);
      else if (/live|polling/.test(to)) this.#again();
    });
    whenAttended(() => this.#view?.look(), signal);
    this.on("notification", ({ items, total }) => this.#arrived(items[0].title, total));
    this.on("grown", (event) => {
      this.#view?.look();
      this.announceGrowth(event);
    });
    this.on("failure", (failure) => this.open && this.#view?.fail(failure));
  }

  /** Whether the panel is open; also the attribute `open`. */
  get open() {
    return this.hasAttribute("open");
  }

  render() {
    const { unseen } = this.client.counts;
    const count = countText(unseen, this.client.locale);
    const name = unseen ? this.text("bell", { count }) : this.text("notifications");
    this.setAttribute("count", `${unseen}`);
    this.#button.ariaLabel = name;
    this.#button.title = name;
    this.#badge.hidden = !unseen;
    this.#badge.textContent = count;
    if (this.open) this.#view?.render();
    if (unseen) this.#near(); // it will be opened
  }

  /** @param {boolean} open */
  #toggle(open) {
    if (open === this.open) return;
    this.toggleAttribute("open", open);
    this.#button.ariaExpanded = `${open}`;
    if (open) {
      this.#show();
      this.#place();
    } else {
      if (this.#panel.contains(/** @type {Element} */ (this.shadowRoot?.activeElement))) this.#button.focus();
      this.#view?.close();
    }
  }

  /** Show what there is, or say that it cannot be had. */
  async #show() {
    if (!this.#view) {
      this.#panel.replaceChildren(h("div", { class: "skeleton" }));
      const views = await loadViews(this.client);
      if (views) this.#view ??= new views.PanelView(this, this.#panel);
      else this.#explain();
    }
    if (this.open) this.#view?.choose();
  }

  #explain() {
    const words = this.client.explain("couldNotLoad", { reason: "network" });
    const again = button("text", () => this.#again(), this.text("retry"));
    this.#panel.replaceChildren(h("div", { class: "note" }, h("strong", {}, words), again));
  }

  #again() {
    this.#panel.focus(); // the button is about to go
    this.#show();
  }

  /** @param {string} title @param {number} total */
  #arrived(title, total) {
    if (this.open && this.#view) this.#view.look();
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
