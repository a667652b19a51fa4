/** A WebSocket: frames come in, one to a line, and commands go out. */

import { attempt, connectSocket } from "../browser.js";

const SUBPROTOCOL = "carillon.v1";

/**
 * @param {import("../types.js").Session} session
 * @param {string} url
 * @param {import("../env.js").Env} env
 * @param {object} [more]
 * @param {(send: (command: object) => void) => void} [more.onOpen]
 * @param {Record<number, string>} [more.reasons] what a close says by its code alone
 * @returns {(command: object) => void} send a command
 */
export function openSocket(session, url, { WebSocket, document }, { onOpen, reasons = {} } = {}) {
  const socket = attempt(() => connectSocket(WebSocket, url, document?.location?.href, SUBPROTOCOL));
  const send = (/** @type {object} */ command) => void attempt(() => socket?.send(JSON.stringify(command)));
  if (!socket) {
    session.end({ reason: "network" });
    return send;
  }
  session.signal.addEventListener("abort", () => socket.close());
  socket.onopen = () => onOpen?.(send);
  socket.onclose = ({ code }) => session.end({ reason: reasons[code] ?? "network" });
  socket.onmessage = ({ data }) => {
    if (session.signal.aborted) return;
    session.bytes();
    try {
      for (const line of data.split("\n")) if (line) session.frame(JSON.parse(line));
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      session.end({ reason: "content-type" });
    }
  };
  return send;
}
