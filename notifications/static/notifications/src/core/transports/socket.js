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
  const socket = attempt(() => {
    const target = new URL(url, document?.location?.href);
    target.protocol = target.protocol.replace("http", "ws"); // older browsers want it spelled out
    return connectSocket(WebSocket, target.href, SUBPROTOCOL);
  });
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
