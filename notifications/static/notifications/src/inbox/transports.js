/** What carries the inbox. */

import { poll } from "../core/transports/poll.js";
import { stream } from "../core/transports/stream.js";

/** @typedef {import("../core/types.js").Session} Session */
/** @typedef {import("../core/types.js").Transport} Transport */

/**
 * In order of preference: name, address, transport. The socket is an extra: see extras.js.
 *
 * @type {[string, "stream" | "socket" | "changes", Transport][]}
 */
export const carriers = [
  ["stream", "stream", stream],
  ["poll", "changes", poll],
];

/**
 * Bind each transport that has an address to it.
 *
 * @param {import("./types.js").Config} config
 * @param {import("../core/env.js").Env} env
 * @returns {[string, (session: Session, query?: string) => void][]} `query` is added to the address
 */
export function transports(config, env) {
  return carriers
    .filter(([, key]) => config.urls[key])
    .map(([name, key, carry]) => [
      name,
      (session, query = "") => carry(session, config.urls[key] + query, config, env),
    ]);
}
