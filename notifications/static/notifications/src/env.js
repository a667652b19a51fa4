/** What the client takes from the browser, gathered so that a test can bring its own. */

/**
 * @typedef {object} Env
 * @property {typeof fetch} fetch
 * @property {typeof WebSocket | undefined} WebSocket
 * @property {typeof BroadcastChannel | undefined} BroadcastChannel
 * @property {LockManager | undefined} locks
 * @property {() => number} now epoch ms
 * @property {() => number} random
 * @property {(callback: () => void, time: number) => any} setTimeout
 * @property {(timer: any) => void} clearTimeout
 * @property {(callback: () => void) => void} frame before the next painting
 * @property {(time: number, signal: AbortSignal) => Promise<void>} sleep
 * @property {EventTarget | undefined} window
 * @property {Document | undefined} document
 * @property {Storage | undefined} storage
 */

/**
 * @param {Partial<Env>} [own]
 * @returns {Env}
 */
export function environment(own = {}) {
  const { document, window, navigator } = globalThis;
  const env = {
    fetch: globalThis.fetch?.bind(globalThis),
    WebSocket: globalThis.WebSocket,
    BroadcastChannel: globalThis.BroadcastChannel,
    locks: navigator?.locks,
    now: Date.now,
    random: Math.random,
    setTimeout: (/** @type {() => void} */ callback, /** @type {number} */ time) => setTimeout(callback, time),
    clearTimeout: (/** @type {any} */ timer) => clearTimeout(timer),
    // A hidden tab paints no frames, but its title counts all the same.
    frame: (/** @type {() => void} */ callback) =>
      document?.visibilityState === "visible" ? requestAnimationFrame(callback) : env.setTimeout(callback, 100),
    sleep: (/** @type {number} */ time, /** @type {AbortSignal} */ signal) =>
      /** @type {Promise<void>} */ (new Promise((resolve) => {
        const timer = env.setTimeout(resolve, time);
        signal.addEventListener("abort", () => (env.clearTimeout(timer), resolve()), { once: true });
      })),
    window,
    document,
    storage: storage(),
    ...own,
  };
  return env;
}

/** Private modes and sandboxed frames throw at the mere mention. */
function storage() {
  try {
    return globalThis.localStorage;
  } catch {
    return undefined;
  }
}
