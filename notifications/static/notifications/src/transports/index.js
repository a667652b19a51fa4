/**
 * The boundary between the connection and what carries it: a transport is a function that takes a session and its own
 * setting. It calls `bytes` at every sign of life, `frame` with each frame in order, and `end` once; nothing after
 * the session's signal was aborted.
 */

import { poll } from "./poll.js";
import { socket } from "./socket.js";
import { stream } from "./stream.js";

/**
 * @typedef {object} Session
 * @property {() => string | null} since the cursor to continue from
 * @property {AbortSignal} signal
 * @property {() => void} bytes
 * @property {(frame: any) => void} frame
 * @property {(time: number) => void} floor ms that the server wants between connections
 * @property {(ending: import("../refusal.js").Ending) => void} end
 */

/**
 * Bind each transport that can work here to its setting; the order is that of preference.
 *
 * @param {import("../types.js").Config} config
 * @param {import("../env.js").Env} env
 * @returns {Map<string, (session: Session) => void>}
 */
export function transports({ urls }, { fetch, WebSocket, now, sleep }) {
  /** @type {Map<string, (session: Session) => void>} */
  const found = new Map();
  if (urls.stream) found.set("stream", (session) => stream(session, { url: urls.stream, fetch }));
  const { socket: url } = urls;
  if (url && WebSocket) found.set("socket", (session) => socket(session, { url, WebSocket }));
  found.set("poll", (session) => poll(session, { url: urls.changes, fetch, now, sleep }));
  return found;
}
