/** The inbox over the WebSocket of the chat: for networks that hold streams back. */

import { openSocket } from "../core/transports/socket.js";

/** @type {import("../core/types.js").Transport} */
export function socket(session, url, { user, language }, env) {
  /** @param {any} message */
  const frame = (message) => {
    try {
      if (message.type === "nack") session.end({ reason: message.code, retry: message.retry ?? undefined });
      else session.frame(message);
    } catch {
      session.end({ reason: "content-type" });
    }
  };
  openSocket({ ...session, frame }, url, env, {
    onOpen: (send) => send({ type: "inbox.open", user, language, since: session.since(), ref: "inbox" }),
  });
}
