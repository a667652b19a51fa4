/** The page's one client, from the configuration that `{% notifications_head %}` wrote into it. */

import { createClient } from "./client.js";

const SHARED = Symbol.for("carillon"); // two bundles on one page share it

/**
 * @returns {import("./client.js").Client | null} null on a page without configuration: nobody is signed in
 */
export function connection() {
  const shared = /** @type {{[SHARED]?: import("./client.js").Client}} */ (globalThis);
  if (!shared[SHARED]) {
    const block = document.getElementById("notifications-config");
    if (!block) return null;
    shared[SHARED] = createClient(JSON.parse(block.textContent ?? ""));
  }
  return shared[SHARED];
}
