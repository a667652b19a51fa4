/** Whether people look at any tab: each visible one shares a lock, which not even a crash leaves behind. */

export class VisibleTabs {
  #locks;
  #name;
  #visible = false;
  /** @type {((value?: any) => void) | undefined} */
  #release;

  /**
   * @param {import("../core/env.js").Env} env
   * @param {string} name of the lock
   */
  constructor({ locks, document, window }, name) {
    this.#locks = locks;
    this.#name = name;
    const look = () => this.#set(document?.visibilityState !== "hidden");
    look();
    document?.addEventListener("visibilitychange", look);
    window?.addEventListener("pagehide", () => this.#set(false)); // the back/forward cache keeps locks
    window?.addEventListener("pageshow", look);
  }

  /** Whether there is one. @returns {Promise<boolean>} */
  async any() {
    if (this.#visible || !this.#locks) return this.#visible;
    const { held } = await this.#locks.query();
    return !!held?.some(({ name }) => name === this.#name);
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
    this.#locks?.request(this.#name, { mode: "shared" }, () => held).catch(() => {});
  }
}
