/** What expires leaves the lists and the counts on time, by the server's clock. */

import { settled } from "../core/browser.js";

const FARTHEST = 2 ** 31 - 1; // ms; browsers call a longer timer at once
const SPREAD = 30_000; // ms over which pages ask for new counts when something expires that many have

export class Expiry {
  #inbox;
  /** When the first of what is counted expires, in epoch ms. */
  #until;
  /** @type {any} */
  #timer;

  /** @param {import("./live-inbox.js").LiveInbox} inbox */
  constructor(inbox) {
    this.#inbox = inbox;
    this.#until = this.#timeOf(inbox.config.until);
    inbox.ended.addEventListener("abort", () => this.#stop());
  }

  /** Render again at the next expiry. */
  wait() {
    const { env, store, ended } = this.#inbox;
    const rest = Math.min(store.until, this.#until) - this.#inbox.now();
    this.#stop();
    if (rest < Infinity && !ended.aborted)
      this.#timer = env.setTimeout(() => this.#expire(), Math.max(0, Math.min(rest, FARTHEST)));
  }

  #stop() {
    this.#inbox.env.clearTimeout(this.#timer);
  }

  /** What is counted and not here, the server counts anew. */
  async #expire() {
    const inbox = this.#inbox;
    const { counts } = inbox.config.urls;
    inbox.changed();
    if (inbox.now() < this.#until) return;
    this.#until = Infinity;
    const { resets } = inbox.store;
    const numbers = counts && (await settled(() => inbox.ask(counts)));
    if (!numbers || resets !== inbox.store.resets) return; // a snapshot counted meanwhile, or the user signed out
    this.#until = this.#timeOf(numbers.until);
    inbox.store.page({ items: [], ...numbers });
    inbox.changed();
  }

  /** A moment after it, and each page at another: many people may have the same broadcast. @param {string | null | undefined} iso */
  #timeOf(iso) {
    return iso ? Date.parse(iso) + this.#inbox.env.random() * SPREAD : Infinity;
  }
}
