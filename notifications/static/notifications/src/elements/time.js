/** Times as people say them, kept right by one timer for the whole page. */

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

/** @type {Set<HTMLTimeElement>} */
const shown = new Set();
let timer = 0;

/**
 * Say how long ago something was, or its date when that is more than a week.
 * @param {number} then ms since the epoch
 * @param {number} now ms since the epoch
 * @param {string} language
 */
export function relative(then, now, language) {
  const seconds = Math.max(0, (now - then) / 1000);
  const unit = UNITS.find(([limit]) => seconds < limit);
  if (!unit) return new Date(then).toLocaleDateString(language, { dateStyle: "medium" });
  const format = new Intl.RelativeTimeFormat(language, { numeric: "auto" });
  return format.format(-Math.round(seconds / unit[1]), unit[2]);
}

/**
 * Return a `<time>` that stays right for as long as it is in a document.
 * @param {string} iso
 * @param {string} language
 */
export function time(iso, language) {
  const element = document.createElement("time");
  element.dateTime = iso;
  element.lang = language;
  element.title = new Date(iso).toLocaleString(language, { dateStyle: "full", timeStyle: "short" });
  write(element);
  shown.add(element);
  timer ||= setInterval(tick, TICK);
  return element;
}

function tick() {
  for (const element of shown) {
    if (element.isConnected) write(element);
    else shown.delete(element);
  }
  if (shown.size) return;
  clearInterval(timer);
  timer = 0;
}

/** @param {HTMLTimeElement} element */
function write(element) {
  element.textContent = relative(Date.parse(element.dateTime), Date.now(), element.lang);
}
