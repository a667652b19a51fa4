/** The inbox over a WebSocket: for networks that hold streams back, and pages that have the chat's socket open anyway. */

/** @typedef {import("./index.js").Session} Session */

/**
 * @param {Session} session
 * @param {{url: string, WebSocket: typeof globalThis.WebSocket}} setting
 */
export function socket(session, { url, WebSocket }) {
  const { signal } = session;
  const wire = new WebSocket(url, "carillon.v1");
  signal.addEventListener("abort", () => wire.close());
  wire.onopen = () => wire.send(JSON.stringify({ type: "inbox.open", since: session.since(), ref: "inbox" }));
  wire.onmessage = ({ data }) => {
    if (signal.aborted) return;
    session.bytes();
    try {
      const frame = JSON.parse(data);
      if (frame.type === "nack") session.end({ reason: frame.code, retry: frame.retry });
      else session.frame(frame);
    } catch {
      session.end({ reason: "content-type" });
    }
  };
  wire.onclose = () => session.end({ reason: "network" });
}
