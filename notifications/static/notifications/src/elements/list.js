/** `<notification-list>`: the inbox as a full page. What it shows comes with `panel.js`; until then it is as it was served. */

import { h } from "./dom.js";
import { NotificationElement } from "./notification-element.js";
import { loadViews } from "./panel.js";

/** @typedef {import("../inbox/types.js").Filter} State */

const STATES = /** @type {const} */ (["all", "unread", "snoozed", "archived"]);
const AGAIN = 30_000; // ms until what could not be had is asked for again

export class NotificationList extends NotificationElement {
  static observedAttributes = ["state", "category", "kind", "q"];

  /** @type {import("./list-view.js").ListView | undefined} */
  #view;
  #present = new AbortController().signal;
  #changing = false;
  #served = h("slot"); // what the server rendered stays until there is something better
  #place = h("div"); // of the view

  /** @type {State} what is listed; also the attribute `state` */
  get state() {
    const name = this.getAttribute("state");
    return STATES.find((state) => state === name) ?? "all";
  }

  set state(state) {
    this.setAttribute("state", state);
  }

  /** What is listed: the attributes, empty where they say nothing. */
  get filter() {
    const [category, kind, q] = ["category", "kind", "q"].map((name) => this.getAttribute(name) ?? "");
    return { state: this.state, category, kind, q };
  }

  /** List something else. @param {Partial<Record<"state" | "category" | "kind" | "q", string>>} changes */
  list(changes) {
    for (const [name, value] of Object.entries(changes)) this.setAttribute(name, value);
    this.#view?.remember();
  }

  build() {
    this.#load();
    return [this.#served, this.#place];
  }

  /** @param {AbortSignal} signal */
  listen(signal) {
    this.#present = signal;
    this.on("state", ({ to }) => {
      if (to === "signed-out") this.replaceChildren(); // what the server rendered is the user's too
    });
    this.#view?.listen(signal);
  }

  attributeChangedCallback() {
    if (!this.client) return;
    // Several may change at once.
    if (!this.#changing) {
      queueMicrotask(() => {
        this.#changing = false;
        this.#view?.choose();
        this.render();
      });
    }
    this.#changing = true;
  }

  render() {
    this.#view?.render();
  }

  async #load() {
    const views = await loadViews(this.client);
    if (!views) {
      setTimeout(() => this.#load(), AGAIN);
      return;
    }
    this.#view = new views.ListView(this, STATES, this.#served);
    this.#place.append(this.#view.root);
    if (this.#present.aborted) return;
    this.#view.listen(this.#present);
    this.render();
  }
}
