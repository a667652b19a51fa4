/** Loads a part of a page anew when its feed has moved: one request, however many events came meanwhile. */

import { delay } from "../core/backoff.js";
import { at } from "../core/cursor.js";

const PACE = 200; // ms between two requests at the least

/** @typedef {{status: number, cursor: string | null}} Answer 200 and 304 brought the part up to a cursor; 0 is no answer */

export class Loader {
  #env;
  #load;
  #onState;
  #cursor;
  #head = "";
  #failures = 0;
  #busy = false;
  #next = 0;
  /** @type {any} */
  #timer;

  /** Whether it is not loaded any more. */
  gone = false;

  /**
   * @param {Pick<import("../core/env.js").Env, "now" | "random" | "setTimeout" | "clearTimeout">} env
   * @param {string} cursor of what the page shows
   * @param {() => Promise<Answer>} load ask for the part and show it
   * @param {() => void} onState it is fresh, stale or gone
   */
  constructor(env, cursor, load, onState) {
    this.#env = env;
    this.#cursor = cursor;
    this.#load = load;
    this.#onState = onState;
  }

  /** Whether what is shown is the newest that is known. */
  get fresh() {
    const [there, here] = [this.#head, this.#cursor].map(at);
    return !this.#head || (there.epoch === here.epoch && there.at <= here.at);
  }

  /** The feed is here now. @param {string} cursor */
  moved(cursor) {
    this.#head = cursor;
    this.#look();
  }

  end() {
    this.gone = true;
    this.#env.clearTimeout(this.#timer);
  }

  #look() {
    this.#onState();
    if (this.fresh || this.#busy || this.gone) return;
    this.#busy = true;
    this.#timer = this.#env.setTimeout(() => this.#ask(), Math.max(0, this.#next - this.#env.now()));
  }

  async #ask() {
    const { now, random } = this.#env;
    const head = this.#head;
    this.#next = now() + PACE;
    const { status, cursor } = await this.#load().catch(() => ({ status: 0, cursor: null }));
    this.#busy = false;
    if (status === 200 || status === 304) {
      this.#cursor = cursor || head;
      if (this.fresh || head !== this.#head) this.#failures = 0;
      else this.#next += delay(this.#failures++, random); // it was rendered by a server that is behind
    } else if (status >= 400 && status < 500 && status !== 429) {
      this.gone = true; // not for this reader any more
    } else this.#next = now() + delay(this.#failures++, random, PACE);
    this.#look();
  }
}
