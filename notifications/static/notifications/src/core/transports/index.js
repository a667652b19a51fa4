/**
 * The boundary between the connection and what carries it. A transport is a function `(session, url, user, env)`: it calls
 * `bytes` at every sign of life, `frame` with each frame in order, and `end` once; the session ignores what comes
 * after its signal was aborted.
 */

import { poll } from "./poll.js";
import { stream } from "./stream.js";

/**
 * @typedef {object} Session
 * @property {() => string} since the cursor to continue from; empty for none
 * @property {AbortSignal} signal
 * @property {() => void} bytes
 * @property {(frame: any) => void} frame
 * @property {(time: number) => void} floor ms that the server wants between connections
 * @property {(ending: import("../refusal.js").Ending) => void} end
 *
 * @typedef {(session: Session, url: string, user: string, env: import("../env.js").Env) => void} Transport
 */

/** In order of preference. The socket is an extra: see entries/notifications.js. */
export const carriers = /** @type {Record<"stream" | "socket" | "poll", Transport | null>} */ ({ stream, socket: null, poll });

/**
 * Bind each transport that has an address to it.
 *
 * @param {import("../../inbox/types.js").Config} config
 * @param {import("../env.js").Env} env
 * @returns {[string, (session: Session) => void][]}
 */
export function transports({ user, urls: { stream, socket, changes } }, env) {
  return Object.entries({ stream, socket, poll: changes }).flatMap(([name, url]) => {
    const carry = carriers[/** @type {"poll"} */ (name)];
    return url && carry ? [[name, (/** @type {Session} */ session) => carry(session, url, user, env)]] : [];
  });
}
