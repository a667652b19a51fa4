/** Who wants something to stay open. It stays a while after the last has let go: elements are moved and swapped. */

const LINGER = 5_000; // ms

export class Holders {
  #env;
  #onIdle;
  #holders = new Set();
  /** @type {any} */
  #timer;

  /**
   * @param {import("./env.js").Env} env
   * @param {() => void} onIdle called when nobody has wanted it for a while
   */
  constructor(env, onIdle) {
    this.#env = env;
    this.#onIdle = onIdle;
  }

  get any() {
    return !!this.#holders.size;
  }

  /**
   * @param {object} holder one that holds twice counts once
   * @returns {() => void} let go
   */
  hold(holder) {
    this.#env.clearTimeout(this.#timer);
    this.#holders.add(holder);
    return () => {
      if (this.#holders.delete(holder) && !this.#holders.size) this.#timer = this.#env.setTimeout(this.#onIdle, LINGER);
    };
  }

  /** Nobody wants it any more, at once. */
  clear() {
    this.#env.clearTimeout(this.#timer);
    this.#holders.clear();
  }
}
