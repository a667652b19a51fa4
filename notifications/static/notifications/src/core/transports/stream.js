/** Server-Sent Events by `fetch`: unlike EventSource it sees status codes and `Retry-After`, and can be resumed and aborted. */

import { refusal } from "../refusal.js";
import { get } from "../request.js";
import { parser } from "../sse.js";

/** @type {import("../types.js").Transport} */
export async function stream({ since, signal, bytes, frame, floor, end }, url, page, { fetch }) {
  let reason = "network";
  try {
    const cursor = since();
    const response = await fetch(url, get(page, "text/event-stream", signal, cursor && { "Last-Event-ID": cursor }));
    const ending = await refusal(response, "text/event-stream");
    if (ending) return end(ending);
    const push = parser(({ type, data }) => frame({ ...JSON.parse(data), type }), floor);
    const reader = /** @type {ReadableStream<Uint8Array>} */ (response.body).getReader(); // no async iterator in Safari before 27
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return end({ reason: "ended" });
      bytes();
      reason = "content-type"; // what fails now is not the network
      push(value);
      reason = "network";
    }
  } catch {
    end({ reason });
  }
}
