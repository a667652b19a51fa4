/** What the chat takes from the browser, beside what the core does. */

import { environment } from "../core/env.js";

/** @typedef {import("../core/env.js").Env & {storage: Storage | undefined}} ChatEnv */

/** @param {Partial<ChatEnv>} [own] @returns {ChatEnv} */
export function chatEnvironment(own) {
  const env = environment(own);
  const { setTimeout, clearTimeout } = env;
  return {
    ...env,
    // Many parts call them as methods, which browsers refuse for their own.
    setTimeout: (callback, time) => setTimeout(callback, time),
    clearTimeout: (timer) => clearTimeout(timer),
    storage: own && "storage" in own ? own.storage : storage(),
  };
}

/** Private modes and sandboxed frames throw at the mere mention. */
function storage() {
  try {
    return globalThis.localStorage;
  } catch {
    return undefined;
  }
}
