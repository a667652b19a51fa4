/** Numbers, times and lists as the reader writes them: parts of `Intl` may be missing, and languages unknown to it. */

import { attempt, languages } from "./browser.js";

/**
 * The locale for numbers and times: the reader's own variant of the page's language, if they have one. British readers
 * of an English page see 24 hours.
 *
 * @param {string} language of the page
 * @returns {string | undefined} undefined: the browser's own
 */
export function localeFor(language) {
  const parse = (/** @type {string} */ tag) => {
    const { language, script } = new Intl.Locale(tag).maximize();
    return `${language}-${script}`;
  };
  return attempt(() => {
    const wanted = parse(language);
    const own = languages().find((tag) => attempt(() => parse(tag)) === wanted);
    return own ?? language;
  });
}

/** Write a number. @param {number} value @param {string} [locale] @param {Intl.NumberFormatOptions} [options] */
export const numeral = (value, locale, options) =>
  /** @type {string} */ (attempt(() => value.toLocaleString(locale, options), `${value}`));

/** Write a moment or a day. @param {Date} date @param {string | undefined} locale @param {Intl.DateTimeFormatOptions} options */
export const dateText = (date, locale, options) =>
  attempt(() => date.toLocaleString(locale, options)) ?? attempt(() => date.toISOString().slice(0, 16)) ?? "";

/** Say how far away something is. @param {number} value @param {Intl.RelativeTimeFormatUnit} unit @param {string} [locale] */
export const relativeText = (value, unit, locale) =>
  attempt(() => new Intl.RelativeTimeFormat(locale, { numeric: "auto" }).format(value, unit));

/** Enumerate. @param {string[]} names @param {string} [locale] */
export const listText = (names, locale) => attempt(() => new Intl.ListFormat(locale).format(names)) ?? names.join(", ");
