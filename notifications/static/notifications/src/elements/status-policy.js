/** How the state of the connection is told: good news at once, bad news only when it lasts. Pure; tested without a browser. */

export const PATIENCE = 2_500; // ms; most losses heal within it, and nobody need know
const SERIOUS_AFTER = 10_000; // ms
const SERIOUS_ATTEMPTS = 3;
const WORTH_COUNTING = 5_000; // ms; a shorter wait is over before it is read

/**
 * @typedef {object} Status
 * @property {"good" | "wait" | "bad"} tone
 * @property {string} name the state to show; `live` while a loss is too young to be told
 * @property {boolean} serious whether a banner is called for
 * @property {boolean} countdown whether to show when the next try is, and offer to try now
 * @property {number | null} recheckIn ms until this may change by itself
 */

/**
 * Decide what to tell about the connection.
 *
 * @param {{name: string, attempt: number, nextTryAt: number | null, troubledSince: number | null}} state
 * @param {number} now ms since the epoch
 * @param {boolean} wasLive whether the page was told before that the connection is live
 * @param {boolean} wasCounting whether the present wait is being counted down already; then it is, to its end
 * @returns {Status}
 */
export function statusPolicy({ name, attempt, nextTryAt, troubledSince }, now, wasLive, wasCounting) {
  /** @type {Status} */
  const status = { tone: "wait", name, serious: false, countdown: false, recheckIn: null };
  const age = now - (troubledSince ?? now);
  const wait = (nextTryAt ?? 0) - now;
  if (/live|polling/.test(name)) status.tone = "good";
  else if (/closed|signed-out/.test(name)) {
    status.tone = "bad";
    status.serious = true;
  } else if (age < PATIENCE) {
    status.recheckIn = PATIENCE - age;
    status.name = wasLive ? "live" : "connecting";
    if (wasLive) status.tone = "good";
  } else {
    if (name === "offline") status.tone = "bad";
    status.countdown = wait > 0 && (wasCounting || wait >= WORTH_COUNTING);
    status.serious = age >= SERIOUS_AFTER || attempt >= SERIOUS_ATTEMPTS;
    status.recheckIn = status.countdown ? wait % 1000 || 1000 : status.serious ? null : SERIOUS_AFTER - age;
  }
  return status;
}
