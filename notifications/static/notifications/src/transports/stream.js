/** Server-Sent Events by `fetch`: unlike EventSource it sees status codes and `Retry-After`, and can be resumed and aborted. */

import { refusal } from "../refusal.js";
import { Parser, TooLong } from "../sse.js";

/** @typedef {import("./index.js").Session} Session */

/**
 * @param {Session} session
 * @param {{url: string, fetch: typeof globalThis.fetch}} setting
 */
export async function stream(session, { url, fetch }) {
  const since = session.since();
  const headers = { Accept: "text/event-stream", ...(since && { "Last-Event-ID": since }) };
  const parser = new Parser(
    ({ type, data }) => session.frame({ ...JSON.parse(data), type }),
    session.floor,
  );
  try {
    const response = await fetch(url, { headers, signal: session.signal, cache: "no-store", credentials: "same-origin", redirect: "manual" });
    const ending = refusal(response, "text/event-stream");
    if (ending) return session.end(ending);
    const reader = /** @type {ReadableStream<Uint8Array>} */ (response.body).getReader(); // Safari before 27 has no async iterator
    for (;;) {
      const { done, value } = await reader.read();
      if (session.signal.aborted) return;
      if (done) return session.end({ reason: "ended" });
      session.bytes();
      parser.push(value);
    }
  } catch (error) {
    session.end({ reason: error instanceof TooLong || error instanceof SyntaxError ? "content-type" : "network" });
  }
}
