/** What the client takes from the browser: the one place that reaches for its globals, so that a test can bring its own. */

/**
 * @typedef {object} Env
 * @property {typeof globalThis.fetch} fetch
 * @property {typeof globalThis.WebSocket} [WebSocket] in place of the browser's own
 * @property {typeof globalThis.BroadcastChannel | undefined} BroadcastChannel
 * @property {LockManager | undefined} locks undefined where the page is no secure context
 * @property {Storage | undefined} [storage] in place of the browser's own
 * @property {() => number} now epoch ms
 * @property {() => number} random
 * @property {(callback: () => void, time: number) => any} setTimeout
 * @property {(timer: any) => void} clearTimeout
 * @property {(callback: () => void) => void} frame before the next painting
 * @property {EventTarget | undefined} window
 * @property {Document | undefined} document
 */

const HIDDEN_FRAME = 100; // ms; a hidden tab paints no frames, but its title counts all the same

/**
 * @param {Partial<Env>} [own] what takes the browser's place
 * @returns {Env}
 */
export function environment(own) {
  const { BroadcastChannel, document, navigator, window } = globalThis;
  return {
    BroadcastChannel,
    document,
    window,
    locks: navigator?.locks,
    now: Date.now,
    random: Math.random,
    // Browsers refuse these when they are called as methods of something else.
    fetch: (input, init) => fetch(input, init),
    setTimeout: (callback, time) => setTimeout(callback, time),
    clearTimeout: (timer) => clearTimeout(timer),
    frame(callback) {
      if (document?.visibilityState === "visible") requestAnimationFrame(callback);
      else setTimeout(callback, HIDDEN_FRAME);
    },
    ...own,
  };
}

/**
 * What the browser keeps between pages; private modes and sandboxed frames throw at the mere mention.
 *
 * @param {Env} env
 * @returns {Storage | undefined}
 */
export function storageOf(env) {
  try {
    return "storage" in env ? env.storage : globalThis.localStorage;
  } catch {
    return undefined;
  }
}
