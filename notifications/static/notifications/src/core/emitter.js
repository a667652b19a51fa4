/** Named events with plain objects. */
export function emitter() {
  /** @type {Map<string, Set<Function>>} */
  const listeners = new Map();
  return {
    /**
     * Call `listener` at every event of this type, until the returned function is called.
     *
     * @param {string} type
     * @param {(event: any) => void} listener
     */
    on(type, listener) {
      const set = listeners.get(type) ?? new Set();
      listeners.set(type, set.add(listener));
      return () => void set.delete(listener);
    },

    /** Tell everyone. A listener that throws is reported and harms no other. @param {string} type @param {object} [event] */
    emit(type, event = {}) {
      for (const listener of [...(listeners.get(type) ?? [])]) {
        try {
          listener(event);
        } catch (error) {
          reportError(error);
        }
      }
    },
  };
}
