/** Days and times as a conversation shows them. */

import { dateText, relativeText } from "../../core/locale.js";

const DAY = 86_400_000; // ms

/** The day in the reader's own time zone, as a key. @param {Date} date */
export const dayOf = (date) => `${date.getFullYear()}-${date.getMonth()}-${date.getDate()}`;

/** "Today", "Yesterday", a weekday, or a date. @param {Date} date @param {Date} now @param {string} [locale] */
export function dayName(date, now, locale) {
  const [day, today] = [date, now].map((one) => new Date(one.getFullYear(), one.getMonth(), one.getDate()).getTime());
  const ago = Math.round((today - day) / DAY);
  const name = (ago === 0 || ago === 1) && relativeText(-ago, "day", locale);
  if (name) return name.charAt(0).toUpperCase() + name.slice(1);
  /** @type {Intl.DateTimeFormatOptions} */
  const style = ago > 1 && ago < 7 ? { weekday: "long" } : { weekday: "short", day: "numeric", month: "long" };
  return dateText(date, locale, date.getFullYear() === now.getFullYear() ? style : { ...style, year: "numeric" });
}

/** @param {Date} date @param {string} [locale] */
export const timeOf = (date, locale) => dateText(date, locale, { timeStyle: "short" });

/** Short, for a list: the time of today, the day before that. @param {Date} date @param {Date} now @param {string} [locale] */
export function briefly(date, now, locale) {
  if (dayOf(date) === dayOf(now)) return timeOf(date, locale);
  const week = now.getTime() - date.getTime() < 6 * DAY;
  return dateText(date, locale, week ? { weekday: "short" } : { dateStyle: "short" });
}
