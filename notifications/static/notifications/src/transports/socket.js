/** The inbox over a WebSocket: for networks that hold streams back. */

/** @type {import("./index.js").Transport} */
export function socket({ since, signal, bytes, frame, end }, url, { WebSocket }) {
  const wire = new WebSocket(new URL(url, globalThis.location?.href).href.replace(/^http/, "ws"), "carillon.v1");
  signal.addEventListener("abort", () => wire.close());
  wire.onopen = () => wire.send(JSON.stringify({ type: "inbox.open", since: since(), ref: "inbox" }));
  wire.onclose = () => end({ reason: "network" });
  wire.onmessage = ({ data }) => {
    bytes();
    try {
      const { type, code, retry, ...rest } = JSON.parse(data);
      if (type === "nack") end({ reason: code, retry: retry ?? undefined });
      else frame({ type, code, retry, ...rest });
    } catch {
      end({ reason: "content-type" });
    }
  };
}
