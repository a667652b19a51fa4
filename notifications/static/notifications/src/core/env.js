/** What the client takes from the browser, gathered so that a test can bring its own. */

/**
 * @typedef {object} Env
 * @property {typeof globalThis.fetch} fetch
 * @property {typeof globalThis.WebSocket} WebSocket
 * @property {typeof globalThis.BroadcastChannel | undefined} BroadcastChannel
 * @property {LockManager | undefined} locks undefined where the page is no secure context
 * @property {() => number} now epoch ms
 * @property {() => number} random
 * @property {(callback: () => void, time: number) => any} setTimeout
 * @property {(timer: any) => void} clearTimeout
 * @property {(callback: () => void) => void} frame before the next painting
 * @property {EventTarget | undefined} window
 * @property {Document | undefined} document
 */

/** Take these apart before they are called: browsers refuse a `setTimeout` that is called as a method. @param {Partial<Env>} [own] @returns {Env} */
export function environment(own) {
  const { BroadcastChannel, WebSocket, clearTimeout, document, fetch, navigator, setTimeout, window } = globalThis;
  return {
    BroadcastChannel, WebSocket, clearTimeout, document, fetch, setTimeout, window,
    locks: navigator?.locks,
    now: Date.now,
    random: Math.random,
    // A hidden tab paints no frames, but its title counts all the same.
    frame: (callback) => void (document?.visibilityState === "visible" ? requestAnimationFrame(callback) : setTimeout(callback, 100)),
    ...own,
  };
}
