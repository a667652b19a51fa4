/**
 * The views of feeds, for the bell's panel and the inbox page: a bundle of their own, which is fetched when somebody is
 * about to look. Most pages show neither.
 */

import { settled } from "../core/browser.js";

/** @typedef {{PanelView: typeof import("./panel-view.js").PanelView, ListView: typeof import("./list-view.js").ListView}} Views */

const PATIENCE = 30_000; // ms

/** @type {Promise<Views | undefined> | undefined} */
let views;
let failures = 0;

/**
 * Fetch the views, unless they are here.
 *
 * @param {{config: {urls: {panel: string}}}} client
 * @param {boolean} [ahead] nobody waits for them yet: what failed before is not tried again
 * @returns {Promise<Views | undefined>} undefined: they cannot be had now
 */
export async function loadViews({ config }, ahead = false) {
  if (ahead && failures) return undefined;
  // Some browsers remember that a module could not be had; by another fragment it is another one.
  views ??= settled(() => import(config.urls.panel + (failures ? `#${failures}` : "")), PATIENCE);
  const found = await views;
  if (!found && views) {
    views = undefined;
    failures++;
  }
  return found;
}
