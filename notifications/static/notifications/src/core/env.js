/** What the client takes from its surroundings: the browser's, or what a test brings instead. */

import { ask, isOffline, keptStorage, nextFrame, surroundings } from "./browser.js";

/**
 * @typedef {object} Env
 * @property {typeof globalThis.fetch} fetch
 * @property {typeof globalThis.WebSocket} [WebSocket] in place of the browser's own
 * @property {typeof globalThis.BroadcastChannel | undefined} BroadcastChannel
 * @property {LockManager | undefined} locks undefined where the page is no secure context
 * @property {Storage | undefined} [storage] in place of the browser's own
 * @property {() => boolean} isOffline
 * @property {() => number} now epoch ms, by this machine's clock
 * @property {() => number} random
 * @property {(callback: () => void, time: number) => any} setTimeout
 * @property {(timer: any) => void} clearTimeout
 * @property {(callback: () => void) => void} frame before the next painting
 * @property {EventTarget | undefined} window
 * @property {Document | undefined} document
 */

/**
 * @param {Partial<Env>} [own] what takes the browser's place
 * @returns {Env}
 */
export function environment(own) {
  return {
    ...surroundings(),
    isOffline,
    now: Date.now,
    random: Math.random,
    fetch: ask,
    setTimeout: (callback, time) => setTimeout(callback, time),
    clearTimeout: (timer) => clearTimeout(timer),
    frame: nextFrame,
    ...own,
  };
}

/**
 * What the browser keeps between pages.
 *
 * @param {Env} env
 * @returns {Storage | undefined}
 */
export const storageOf = (env) => ("storage" in env ? env.storage : keptStorage());
