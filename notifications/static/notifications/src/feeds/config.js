/** The page's feeds, from the configuration that `{% feeds_head %}` wrote into it. */

import { createFeeds } from "./client.js";

const SHARED = Symbol.for("carillon-feeds"); // two copies of the bundle on one page share them
const CLIENT = Symbol.for("carillon"); // the bell's client

/** @typedef {import("./client.js").Feeds} Feeds */
/** @typedef {import("./types.js").PageConnection} PageConnection */

/**
 * @returns {Feeds | null} null on a page without configuration
 */
export function feeds() {
  const shared = /** @type {{[SHARED]?: Feeds}} */ (globalThis);
  if (!shared[SHARED]) {
    const config = read("feeds-config");
    if (!config) return null;
    shared[SHARED] = createFeeds(config, client(config.urls.client));
  }
  return shared[SHARED];
}

/**
 * The client of the bell, where the page has one; its module is the same whoever imports it. Else one for feeds alone.
 *
 * @param {string} url
 * @returns {Promise<PageConnection>}
 */
async function client(url) {
  const shared = /** @type {{[CLIENT]?: PageConnection}} */ (globalThis);
  return shared[CLIENT] ?? (await import(read("notifications-config")?.urls.client ?? url)).connection();
}

/** @param {string} id */
function read(id) {
  const block = document.getElementById(id);
  return block && JSON.parse(block.textContent ?? "");
}
