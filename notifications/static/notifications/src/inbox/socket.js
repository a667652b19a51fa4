/** The inbox over the WebSocket of the chat: for networks that hold streams back. */

/** @type {import("../core/transports/index.js").Transport} */
export function socket({ since, signal, bytes, frame, end }, url, user, { WebSocket }) {
  const wire = new WebSocket(new URL(url, globalThis.location?.href).href.replace(/^http/, "ws"), "carillon.v1");
  signal.addEventListener("abort", () => wire.close());
  wire.onopen = () => wire.send(JSON.stringify({ type: "inbox.open", user, since: since(), ref: "inbox" }));
  wire.onclose = () => end({ reason: "network" });
  wire.onmessage = ({ data }) => {
    bytes();
    for (const line of data.split("\n")) {
      try {
        const message = JSON.parse(line);
        if (message.type === "nack") end({ reason: message.code, retry: message.retry ?? undefined });
        else frame(message);
      } catch {
        end({ reason: "content-type" });
      }
    }
  };
}
