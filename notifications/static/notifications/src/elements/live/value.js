/** `<live-value>`: one field of the latest event, as text. */

import { dateText, numeral } from "../../core/locale.js";
import { LiveElement } from "./element.js";

/** @typedef {import("../../feeds/types.js").FeedEvent} FeedEvent */

export class LiveValue extends LiveElement {
  /** @param {FeedEvent} event */
  show({ key, data }) {
    const wanted = this.getAttribute("key");
    if (wanted !== null && wanted !== key) return;
    const path = (this.getAttribute("field") ?? "value").split(".");
    const value = path.reduce((/** @type {any} */ part, name) => part?.[name], data);
    if (value !== undefined) this.textContent = formatted(value, this.getAttribute("format") ?? "", this.language);
  }
}

/**
 * Write a value as people of a language do.
 *
 * @param {any} value
 * @param {string} format `number`, `date` or empty, and then options of Intl.NumberFormat or Intl.DateTimeFormat: `number style=percent`
 * @param {string} language
 */
export function formatted(value, format, language) {
  if (value === null) return "";
  const [kind, ...words] = format.split(/\s+/);
  const options = Object.fromEntries(words.map((word) => word.split("=")));
  if (kind === "number" && !Number.isNaN(+value)) return numeral(+value, language, options);
  const date = kind === "date" ? new Date(value) : null;
  // Without options, a day: the time of day would need the reader's zone to be told.
  if (date && +date) return dateText(date, language, words.length ? options : { dateStyle: "short" });
  return String(value);
}
