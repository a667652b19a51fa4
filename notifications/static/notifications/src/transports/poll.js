/** Long polling: the same frames, asked for one answer at a time. */

import { refusal } from "../refusal.js";

/** @typedef {import("./index.js").Session} Session */

const WAIT = 25; // seconds that the server may hold a poll
const PAUSE = 10_000; // ms between polls of a server that does not hold them, and
const BREATH = 1_000; // ms between those that brought something

/**
 * @param {Session} session
 * @param {{url: string, fetch: typeof globalThis.fetch, now: () => number, sleep: (time: number, signal: AbortSignal) => Promise<void>}} setting
 */
export async function poll(session, { url, fetch, now, sleep }) {
  const { signal } = session;
  let wait = 0; // the first answer comes at once: it says that polling works
  try {
    while (!signal.aborted) {
      const asked = now();
      const query = new URLSearchParams({ since: session.since() ?? "", wait: `${wait}` });
      const response = await fetch(`${url}?${query}`, { headers: { Accept: "application/json" }, signal, cache: "no-store",
        credentials: "same-origin", redirect: "manual" });
      const ending = refusal(response, "application/json");
      if (ending) return session.end(ending);
      const { frames } = await response.json();
      if (signal.aborted) return;
      if (!wait) session.frame({ type: "hello", v: 1, heartbeat: WAIT + PAUSE / 1000 });
      session.bytes();
      for (const frame of frames) session.frame(frame);
      const quiet = frames.every((/** @type {{type: string}} */ frame) => frame.type === "heartbeat");
      const held = now() - asked > BREATH;
      await sleep(!wait ? 0 : quiet ? (held ? 0 : PAUSE) : BREATH, signal);
      wait = WAIT;
    }
  } catch (error) {
    session.end({ reason: error instanceof SyntaxError ? "content-type" : "network" });
  }
}
