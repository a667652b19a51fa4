/** The times that a snooze offers, by the reader's own clock and zone. */

const MORNING = 9; // o'clock
const EVENING = 18;
const LATE = 17; // from then on the evening is too near to wait for

/**
 * @param {Date} now
 * @returns {[name: string, time: Date][]} in their order; `name` is a key of notifications/strings.py
 */
export function snoozeTimes(now) {
  /** An hour of a day of the wall clock, whatever happens to the clock until then. @param {number} days @param {number} hour */
  const at = (days, hour) => new Date(now.getFullYear(), now.getMonth(), now.getDate() + days, hour);
  const evening = now.getHours() < LATE;
  const toMonday = (8 - now.getDay()) % 7 || 7;
  return [
    ["inAnHour", new Date(now.getTime() + 3_600_000)],
    ...(evening ? [/** @type {[string, Date]} */ (["thisEvening", at(0, EVENING)])] : []),
    ["tomorrow", at(1, MORNING)],
    ["onMonday", at(toMonday, MORNING)],
  ];
}
