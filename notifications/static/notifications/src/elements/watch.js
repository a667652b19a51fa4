/** `<watch-button>`: the server's form by which the user watches an object; it saves at once, and follows other tabs. */

import { timeZone } from "../core/locale.js";
import { pageClient } from "../inbox/page.js";

/** @typedef {{choices: [string, string][], choice: string}} Shown */
/** @typedef {import("../inbox/page.js").Page} Page */

export class WatchButton extends HTMLElement {
  /** @type {AbortController | undefined} */
  #present;
  #asked = 0;
  #held = "";

  async connectedCallback() {
    const present = new AbortController();
    this.#present = present;
    const page = await pageClient();
    const { signal } = present;
    if (!page || signal.aborted) return;
    const [save] = this.getElementsByTagName("button");
    save.hidden = true;
    this.#held = this.#select.value;
    this.addEventListener("change", () => this.#choose(page), { signal });
    const ends = [page.client.hold(this), page.on("preferences", () => this.#ask(page))];
    ends.push(page.client.on("state", ({ from, to }) => /live|polling/.test(to) && from !== to && this.#ask(page)));
    signal.addEventListener("abort", () => ends.forEach((end) => void end()));
  }

  disconnectedCallback() {
    this.#present?.abort();
  }

  get #select() {
    return /** @type {HTMLSelectElement} */ (this.querySelector("select"));
  }

  /** What every question names. */
  get #about() {
    const { value } = /** @type {HTMLInputElement} */ (this.querySelector("[name=ref]"));
    return { ref: value, zone: timeZone() };
  }

  /** @param {Page} page */
  async #choose(page) {
    const asked = ++this.#asked;
    this.#say("");
    try {
      const body = { ...this.#about, choice: this.#select.value };
      const found = await page.client.ask(this.getAttribute("url") ?? "", body);
      if (asked === this.#asked) this.#show(found);
    } catch (error) {
      if (asked !== this.#asked) return;
      this.#select.value = this.#held;
      this.#say(page.client.explain("couldNotSave", error));
    }
  }

  /** Ask what holds now. @param {Page} page */
  async #ask(page) {
    const asked = ++this.#asked;
    const query = new URLSearchParams(this.#about);
    const found = await page.client.ask(`${this.getAttribute("url")}?${query}`).catch(() => null);
    if (found && asked === this.#asked) this.#show(found);
  }

  /** @param {Shown} found */
  #show({ choices, choice }) {
    this.#select.replaceChildren(...choices.map(([value, label]) => new Option(label, value, false, value === choice)));
    this.#held = choice;
  }

  /** @param {string} message */
  #say(message) {
    const region = this.querySelector("[role=alert]");
    if (region) region.textContent = message;
  }
}
