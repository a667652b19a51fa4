/** Long polling: the same frames, asked for one answer at a time. A cursor has no character that an address escapes. */

import { refusal } from "../refusal.js";
import { get } from "../request.js";

const WAIT = 25; // seconds that the server may hold a poll
const PAUSE = 10_000; // ms between polls of a server that does not hold them, and
const BREATH = 1_000; // ms between those that brought something

/** @type {import("../types.js").Transport} */
export async function poll({ since, signal, bytes, frame, end }, url, page, { fetch, now, setTimeout }) {
  let reason = "network";
  let wait = 0; // the first answer comes at once: it says that polling works
  try {
    while (!signal.aborted) {
      const asked = now();
      const response = await fetch(
        `${url}${url.includes("?") ? "&" : "?"}since=${since()}&wait=${wait}`,
        get(page, "application/json", signal),
      );
      const ending = await refusal(response, "application/json");
      if (ending) return end(ending);
      reason = "content-type";
      const { frames } = await response.json();
      if (!wait) frame({ type: "hello", v: 1, heartbeat: WAIT + PAUSE / 1_000, time: response.headers.get("Date") });
      bytes();
      frames.forEach(frame);
      reason = "network";
      const quiet = frames.every((/** @type {{type: string}} */ { type }) => type === "heartbeat");
      const pause = !wait || (quiet && now() - asked > BREATH) ? 0 : quiet ? PAUSE : BREATH;
      wait = WAIT;
      await /** @type {Promise<void>} */ (new Promise((resolve) => setTimeout(resolve, pause)));
    }
  } catch {
    end({ reason });
  }
}
