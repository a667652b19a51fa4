/** Days and times as a conversation shows them. */

const DAY = 86_400_000; // ms

/** The day in the reader's own time zone, as a key. @param {Date} date */
export const dayOf = (date) => `${date.getFullYear()}-${date.getMonth()}-${date.getDate()}`;

/** "Today", "Yesterday", a weekday, or a date. @param {Date} date @param {Date} now @param {string} language */
export function dayName(date, now, language) {
  const [day, today] = [date, now].map((one) => new Date(one.getFullYear(), one.getMonth(), one.getDate()).getTime());
  const ago = Math.round((today - day) / DAY);
  if (ago === 0 || ago === 1) {
    const name = new Intl.RelativeTimeFormat(language, { numeric: "auto" }).format(-ago, "day");
    return name.charAt(0).toLocaleUpperCase(language) + name.slice(1);
  }
  /** @type {Intl.DateTimeFormatOptions} */
  const style = ago > 0 && ago < 7 ? { weekday: "long" } : { weekday: "short", day: "numeric", month: "long" };
  return date.toLocaleDateString(
    language,
    date.getFullYear() === now.getFullYear() ? style : { ...style, year: "numeric" },
  );
}

/** @param {Date} date @param {string} language */
export const timeOf = (date, language) => date.toLocaleTimeString(language, { timeStyle: "short" });

/** Short, for a list: the time of today, the day before that. @param {Date} date @param {Date} now @param {string} language */
export function briefly(date, now, language) {
  if (dayOf(date) === dayOf(now)) return timeOf(date, language);
  if (now.getTime() - date.getTime() < 6 * DAY) return date.toLocaleDateString(language, { weekday: "short" });
  return date.toLocaleDateString(language, { dateStyle: "short" });
}
