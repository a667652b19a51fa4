/** The page's one client, from the configuration that `{% notifications_head %}` wrote into it. */

import { fetchConfig, findConfig, pageUser } from "../core/config.js";
import { createClient } from "./client.js";

const SHARED = Symbol.for("carillon"); // two bundles on one page share it
const BLOCK = "notifications-config";

/**
 * @returns {import("./client.js").Client | null} null on a page without configuration: nobody is signed in
 */
export function connection() {
  const shared = /** @type {{[SHARED]?: import("./client.js").Client}} */ (globalThis);
  const before = shared[SHARED];
  const user = pageUser();
  if (before && (!user || before.config.user === user)) return before;
  before?.replace();
  const config = findConfig(BLOCK, user);
  shared[SHARED] = config && createClient(config);
  return shared[SHARED] ?? null;
}

/** Fetch what the page lacks, for a user who signed in without a load. @returns {Promise<boolean>} */
export const prepare = () => fetchConfig(BLOCK);
