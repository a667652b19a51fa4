/** `<connection-status>`: whether the page is live, as a dot, a pill or a banner. */

import { numeral } from "../core/locale.js";
import { button, h } from "./dom.js";
import { NotificationElement } from "./notification-element.js";
import { statusPolicy } from "./status-policy.js";

const BACK_FOR = 3_000; // ms that "Back online" is shown

export class ConnectionStatus extends NotificationElement {
  #timer = 0;
  #live = false; // whether the page was told that it is live
  #troubled = false; // … and then that it is not
  #backUntil = 0;
  #reload = false; // only a new page helps
  #counted = /** @type {number | null} */ (null); // the time of the next try that is counted down to

  #label = h("span", { class: "label" });
  #button = button("text", () => {
    if (this.#reload) location.reload();
    else this.client.retryNow();
  });

  build() {
    // The label is a live region where it is read; a quiet one is part of another control, which has a name of its own.
    if (!this.hasAttribute("quiet")) this.#label.role = "status";
    if (this.#variant === "dot") this.#label.classList.add("hidden");
    return [h("span", { class: "dot" }), this.#label, this.#button];
  }

  /** @param {AbortSignal} signal */
  listen(signal) {
    signal.addEventListener("abort", () => clearTimeout(this.#timer));
  }

  render() {
    const now = Date.now();
    const { state } = this.client;
    const { tone, name, serious, countdown, recheckIn } = statusPolicy(
      state,
      now,
      this.#live,
      this.#counted === state.nextTryAt,
    );
    const good = tone === "good";
    const banner = this.#variant === "banner";
    this.#counted = countdown ? state.nextTryAt : null;
    if (good && this.#troubled) this.#backUntil = now + BACK_FOR;
    this.#troubled = !good && (this.#troubled || (this.#live && (serious || !banner)));
    this.#live ||= good;
    const dot = this.#variant === "dot";
    const back = good && now < this.#backUntil;
    const old = !dot && (good ? this.client.outdated : state.reason === "version");
    const told = back ? "back" : old ? "outdated" : name;
    const shown = !banner || serious || told !== name;
    this.#reload = /signed-out|outdated/.test(told);
    this.setAttribute("state", told);
    this.setAttribute("tone", tone);
    this.toggleAttribute("shown", shown);
    this.#say(shown ? this.#textOf(told, now) : "");
    this.#button.hidden =
      !shown || dot || !(countdown || this.#reload || (told === "closed" && state.reason !== "stopped"));
    this.#button.textContent = this.text(this.#reload ? "reload" : "tryNow");
    clearTimeout(this.#timer);
    const next = back ? this.#backUntil - now : recheckIn;
    if (next !== null) this.#timer = setTimeout(() => this.render(), next);
  }

  get #variant() {
    return this.getAttribute("variant");
  }

  /** @param {string} name @param {number} now */
  #textOf(name, now) {
    if (this.#counted === null || name === "offline") return this.text(name); // the wait is for the network
    const seconds = Math.max(1, Math.ceil((this.#counted - now) / 1000));
    const time = numeral(seconds, this.client.locale, { style: "unit", unit: "second", unitDisplay: "narrow" });
    return this.text("reconnectingIn", { time });
  }

  /** @param {string} words */
  #say(words) {
    if (this.#label.textContent === words) return;
    this.#label.textContent = words;
    if (this.#variant === "dot") this.title = words;
  }
}
