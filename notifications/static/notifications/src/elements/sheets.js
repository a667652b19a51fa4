/**
 * Style sheets for shadow trees: each is fetched once for all elements, and constructed, which every policy allows. One
 * that could not be had is asked for again by the next element.
 */

import { ask } from "../core/browser.js";

/** By address. @type {Map<string, Promise<CSSStyleSheet>>} */
const sheets = new Map();

/**
 * @param {string} address
 * @returns {Promise<CSSStyleSheet>} rejects when it cannot be had
 */
export function sheet(address) {
  const found = sheets.get(address) ?? load(address);
  sheets.set(address, found);
  found.catch(() => sheets.delete(address));
  return found;
}

/** @param {string} address */
async function load(address) {
  const response = await ask(address);
  if (!response.ok) throw new Error(address);
  return new CSSStyleSheet().replace(await response.text());
}
