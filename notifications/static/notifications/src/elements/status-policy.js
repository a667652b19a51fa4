/** How the state of the connection is told: good news at once, bad news only when it lasts. Pure; tested without a browser. */

const PATIENCE = 2_500; // ms; most losses heal within it, and nobody need know
const SERIOUS_AFTER = 10_000; // ms
const SERIOUS_ATTEMPTS = 3;
const WORTH_COUNTING = 5_000; // ms; a shorter wait is over before it is read

/**
 * @typedef {object} Mood
 * @property {"good" | "wait" | "bad"} tone
 * @property {string} name the state to show; `live` while a loss is too young to be told
 * @property {boolean} serious whether a banner is called for
 * @property {boolean} counting whether to show when the next try is, and offer to try now
 * @property {number | null} again ms until this may change by itself
 */

/**
 * Decide what to tell about the connection.
 * @param {{name: string, attempt: number, nextTryAt: number | null, troubledSince: number | null}} state
 * @param {number} now ms since the epoch
 * @param {boolean} wasLive whether the page was told before that the connection is live
 * @param {boolean} wasCounting whether the present wait is being counted already; then it is counted to its end
 * @returns {Mood}
 */
export function mood({ name, attempt, nextTryAt, troubledSince }, now, wasLive, wasCounting) {
  const calm = { serious: false, counting: false, again: null };
  if (name === "live" || name === "polling") return { ...calm, tone: "good", name };
  if (name === "signed-out" || name === "closed") return { ...calm, tone: "bad", name, serious: true };
  const age = now - (troubledSince ?? now);
  if (age < PATIENCE) return { ...calm, tone: wasLive ? "good" : "wait", name: wasLive ? "live" : "connecting", again: PATIENCE - age };
  const wait = nextTryAt === null ? 0 : nextTryAt - now;
  const counting = wait > 0 && (wasCounting || wait >= WORTH_COUNTING);
  const serious = age >= SERIOUS_AFTER || attempt >= SERIOUS_ATTEMPTS;
  const again = counting ? wait % 1000 || 1000 : serious ? null : SERIOUS_AFTER - age;
  return { tone: name === "offline" ? "bad" : "wait", name, serious, counting, again };
}
