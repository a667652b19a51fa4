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

const MOST = 99; // a larger number says only that there are many

/** Making a format costs a hundred times what using it does. @type {Map<string, any>} */
const formats = new Map();

/**
 * Write by a format that is made once per language and options.
 *
 * @param {"NumberFormat" | "DateTimeFormat" | "RelativeTimeFormat" | "ListFormat"} kind
 * @param {string | undefined} locale
 * @param {object | undefined} options
 * @param {...any} values
 * @returns {string | undefined} undefined: the browser cannot
 */
const write = (kind, locale, options, ...values) =>
  attempt(() => {
    const key = JSON.stringify([kind, locale, options]);
    const format = formats.get(key) ?? new /** @type {any} */ (Intl)[kind](locale, options);
    formats.set(key, format);
    return format.format(...values);
  });

/** Write a number. @param {number} value @param {string} [locale] @param {Intl.NumberFormatOptions} [options] */
export const numeral = (value, locale, options) => write("NumberFormat", locale, options, value) ?? `${value}`;

/** Write a number for a badge. @param {number} count @param {string} [locale] */
export const countText = (count, locale) => (count > MOST ? `${numeral(MOST, locale)}+` : numeral(count, locale));

/** Write a moment or a day. @param {Date} date @param {string | undefined} locale @param {Intl.DateTimeFormatOptions} options */
export const dateText = (date, locale, options) =>
  write("DateTimeFormat", locale, options, date) ?? attempt(() => date.toISOString().slice(0, 16)) ?? "";

/** Say how far away something is. @param {number} value @param {Intl.RelativeTimeFormatUnit} unit @param {string} [locale] */
export const relativeText = (value, unit, locale) =>
  write("RelativeTimeFormat", locale, { numeric: "auto" }, value, unit);

/** The first day of the week: 1 is Monday, 7 Sunday. @param {string} [locale] @returns {number} */
export const firstDay = (locale) =>
  attempt(() => {
    const known = /** @type {any} */ (new Intl.Locale(locale ?? "en"));
    return (known.getWeekInfo?.() ?? known.weekInfo).firstDay;
  }) ?? 1;

/** Enumerate. @param {string[]} names @param {string} [locale] */
export const listText = (names, locale) => write("ListFormat", locale, undefined, names) ?? names.join(", ");

/** The name of the browser's time zone; empty if it has none. @returns {string} */
export const timeZone = () => attempt(() => Intl.DateTimeFormat().resolvedOptions().timeZone) ?? "";
