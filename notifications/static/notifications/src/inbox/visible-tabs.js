/** Whether people look at any tab: each visible one shares a lock, which not even a crash leaves behind. */

import { isVisible, settled } from "../core/browser.js";

const PATIENCE = 1_000; // ms for the browser to say who holds a lock

export class VisibleTabs {
  #locks;
  #setTimeout;
  #name;
  #visible = false;
  /** @type {((value?: any) => void) | undefined} */
  #release;

  /**
   * @param {import("../core/env.js").Env} env
   * @param {string} name of the lock
   * @param {AbortSignal} signal ends it
   */
  constructor({ locks, document, window, setTimeout }, name, signal) {
    this.#locks = locks;
    this.#setTimeout = setTimeout;
    this.#name = name;
    const look = () => this.#set(isVisible(document));
    look();
    const rest = () => this.#set(false);
    document?.addEventListener("visibilitychange", look, { signal });
    window?.addEventListener("pagehide", rest, { signal }); // the back/forward cache keeps locks
    window?.addEventListener("pageshow", look, { signal });
    signal.addEventListener("abort", rest);
  }

  /** Whether there is one. @returns {Promise<boolean>} */
  async any() {
    if (this.#visible || !this.#locks) return this.#visible;
    const known = await settled(() => this.#locks?.query(), PATIENCE, this.#setTimeout);
    return !!known?.held?.some(({ name }) => name === this.#name);
  }

  /** @param {boolean} visible */
  #set(visible) {
    if (visible === this.#visible) return;
    this.#visible = visible;
    this.#release?.();
    if (!visible) return;
    const held = new Promise((resolve) => {
      this.#release = resolve;
    });
    settled(() => this.#locks?.request(this.#name, { mode: "shared" }, () => held));
  }
}
