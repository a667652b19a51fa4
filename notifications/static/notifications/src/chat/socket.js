/** The chat's WebSocket as the link's transport: frames come in, commands go out. */

/** @typedef {import("../core/transports/index.js").Session} Session */

const SUBPROTOCOL = "carillon.v1";

/** What a close says by its code alone, where the frame that explains it was lost. @type {Record<number, string>} */
const REASONS = { 4401: "signed-out", 4403: "revoked", 4406: "version", 4408: "slow", 4429: "too-many", 4503: "busy" };

/**
 * @param {Session} session
 * @param {{url: string, WebSocket: typeof globalThis.WebSocket}} setting
 * @returns {(command: object) => void} sends a command
 */
export function chatSocket(session, { url, WebSocket }) {
  const address = new URL(url, globalThis.location?.href);
  address.protocol = address.protocol.replace("http", "ws"); // older browsers want it spelled out
  const wire = new WebSocket(address.href, SUBPROTOCOL);
  session.signal.addEventListener("abort", () => wire.close());
  wire.onmessage = ({ data }) => {
    if (session.signal.aborted) return;
    session.bytes();
    try {
      for (const line of data.split("\n")) if (line) session.frame(JSON.parse(line));
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      session.end({ reason: "content-type" });
    }
  };
  wire.onclose = ({ code }) => session.end({ reason: REASONS[code] ?? "network" });
  return (command) => wire.send(JSON.stringify(command));
}
