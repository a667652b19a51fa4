/**
 * Whose page it is, and its configuration. A document outlives its user where htmx or Turbo swap its body: what the
 * server rendered last says who is signed in, and never what was here before.
 */

import { ask, attempt, settled } from "./browser.js";
import { get } from "./request.js";

/** What was fetched because the page has no block of it, by the block's id; shared by all bundles. */
const fetched = () => {
  const shared = /** @type {any} */ (globalThis);
  const symbol = Symbol.for("carillon.config");
  shared[symbol] ??= {};
  return /** @type {Record<string, any>} */ (shared[symbol]);
};

/** The bell that the server rendered for a user. */
const marked = () => document.querySelector("notification-bell[user]");

/** The key of the user that the page was rendered for. @returns {string | null} null: nothing says */
export const pageUser = () => marked()?.getAttribute("user") ?? null;

/**
 * Find the configuration of a user.
 *
 * @param {string} id of the block in the page
 * @param {string | null} user null: whoever comes last
 * @returns {any} undefined: there is none
 */
export function findConfig(id, user) {
  const blocks = [...document.querySelectorAll(`#${id}`)].map((block) =>
    attempt(() => JSON.parse(block.textContent ?? "")),
  );
  return [...blocks, fetched()[id]].findLast((config) => config && (!user || config.user === user));
}

/**
 * Fetch the configuration of the user that the page was rendered for.
 *
 * @param {string} id
 * @param {string} [address] without it, that which the bell names
 * @returns {Promise<boolean>} whether it is there
 */
export async function fetchConfig(id, address = marked()?.getAttribute("config") ?? "") {
  const user = pageUser();
  if (!user || !address) return false;
  const config = await settled(async () => {
    const response = await ask(address, get({ user }, "application/json"));
    return response.ok ? response.json() : undefined;
  });
  if (config?.user !== user) return false; // somebody else's, or none: the page is shown as it was served
  fetched()[id] = config;
  return true;
}
