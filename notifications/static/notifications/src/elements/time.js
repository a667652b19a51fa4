/** Times as people say them, kept right by one timer for the whole page. */

import { dateText, relativeText } from "../core/locale.js";

const TICK = 30_000; // ms; the smallest unit shown is a minute
const DAY = 86_400;
const WEEK = 7 * DAY; // beyond it a date says more than a number of weeks

/** @type {[number, number, Intl.RelativeTimeFormatUnit][]} below so many seconds: divide by, unit */
const UNITS = [
  [45, Infinity, "second"], // 0 seconds: "now"
  [3_570, 60, "minute"],
  [DAY, 3_600, "hour"],
  [WEEK, DAY, "day"],
];

/** Each time that is shown, with what writes it. @type {Map<HTMLTimeElement, () => void>} */
const shown = new Map();
let timer = 0;

/**
 * Say how long ago something was, or its date when that is more than a week.
 * @param {number} then ms since the epoch
 * @param {number} now ms since the epoch
 * @param {string} [locale]
 */
export function relative(then, now, locale) {
  const seconds = Math.max(0, (now - then) / 1000);
  const unit = UNITS.find(([limit]) => seconds < limit);
  const words = unit && relativeText(-Math.round(seconds / unit[1]), unit[2], locale);
  return words ?? dateText(new Date(then), locale, { dateStyle: "medium" });
}

/**
 * Return a `<time>` that stays right for as long as it is in a document.
 * @param {string} iso
 * @param {{now: () => number, locale: string | undefined}} client
 */
export function time(iso, client) {
  const element = document.createElement("time");
  const then = new Date(iso);
  const write = () => {
    element.textContent = relative(then.getTime(), client.now(), client.locale);
  };
  element.dateTime = iso;
  element.title = dateText(then, client.locale, { dateStyle: "full", timeStyle: "short" });
  write();
  shown.set(element, write);
  timer ||= setInterval(tick, TICK);
  return element;
}

function tick() {
  for (const [element, write] of shown) {
    if (element.isConnected) write();
    else shown.delete(element);
  }
  if (shown.size) return;
  clearInterval(timer);
  timer = 0;
}
