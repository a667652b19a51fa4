/** Named events with plain objects. */

import { report } from "./browser.js";

/** @template {Record<string, any>} Events what each type carries */
export class Emitter {
  /** @type {Map<keyof Events, Set<(event: any) => void>>} */
  #listeners = new Map();

  /**
   * Listen to an event.
   *
   * @template {keyof Events} Type
   * @param {Type} type
   * @param {(event: Events[Type]) => void} listener
   * @returns {() => void} stop listening
   */
  on(type, listener) {
    const set = this.#listeners.get(type) ?? new Set();
    this.#listeners.set(type, set.add(listener));
    return () => void set.delete(listener);
  }

  /**
   * Tell everyone who listens. A listener that throws is reported and harms no other.
   *
   * @internal
   * @template {keyof Events} Type
   * @param {Type} type
   * @param {Partial<Events[Type]>} [event]
   */
  emit(type, event = {}) {
    for (const listener of [...(this.#listeners.get(type) ?? [])]) {
      try {
        listener(event);
      } catch (error) {
        report(error);
      }
    }
  }
}
