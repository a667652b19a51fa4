/**
 * Exponential backoff with full jitter: the one place that decides how long a client waits.
 *
 * Full jitter spreads a crowd of clients that lost the same server evenly over the window.
 */

const FIRST = 500; // ms; the window after the first failure
const CEILING = 30_000; // ms; a longer wait would feel like a dead page
const FARTHEST = 3_600_000; // ms; a server may ask for patience, not for ever

/**
 * Choose how long to wait before the next try.
 *
 * @param {number} attempt failures in a row before this one, from 0
 * @param {() => number} random a number from 0 up to, not including, 1
 * @param {number} [floor] ms that the server asked for at least
 * @returns {number} ms
 */
export function delay(attempt, random, floor = 0) {
  return Math.min(floor, FARTHEST) + random() * Math.min(CEILING, FIRST * 2 ** attempt);
}
