/** What the machine remembers, and when it wants to be woken. */

export const LATE = 1.2; // heartbeats of silence that are late, and
export const LOST = 2; // that are a lost connection
export const PROBE = 2_000; // ms on a fallback before streaming is tried again; four times longer after each try

/**
 * @typedef {"connecting" | "live" | "stale" | "reconnecting" | "offline" | "paused" | "polling" | "signed-out" | "closed"} Name
 *
 * @typedef {object} State
 * @property {Name} name what people are told
 * @property {"idle" | "opening" | "open" | "waiting"} phase what the wire does
 * @property {string} reason a code, empty while all is well
 * @property {number} attempt failures in a row; 0 again once a connection was stable
 * @property {number | null} nextTryAt epoch ms
 * @property {number | null} troubledSince epoch ms since it is neither live nor polling
 * @property {number | null} wakeAt epoch ms of the next `tick`
 * @property {boolean} wanted between `start` and `stop`
 * @property {readonly string[]} transports in order of preference
 * @property {number} index of the transport in use
 * @property {number | false} probing index of the fallback to return to if streaming still fails
 * @property {number} unheard openings in a row without `hello`
 * @property {number} probeIn ms from the fallback's `hello` to the next look at streaming
 * @property {number | null} probeAt epoch ms of it
 * @property {number} at epoch ms of the last step
 * @property {number} deadline epoch ms for the opening's `hello`
 * @property {number | null} liveSince epoch ms
 * @property {number} lastByteAt epoch ms
 * @property {number} graceUntil epoch ms until which silence is excused
 * @property {number} heartbeat ms
 * @property {number} floor ms that the server wants between connections
 * @property {number} notBefore epoch ms that the server named when it refused
 * @property {boolean} offline the browser says so
 */

/**
 * @param {readonly string[]} transports in order of preference
 * @returns {State}
 */
export function initial(transports) {
  return { name: "closed", phase: "idle", reason: "stopped", attempt: 0, nextTryAt: null, troubledSince: null,
    wakeAt: null, wanted: false, transports, index: 0, probing: false, unheard: 0, probeIn: PROBE, probeAt: null,
    at: 0, deadline: 0, liveSince: null, lastByteAt: 0, graceUntil: 0, heartbeat: 25_000, floor: 0, notBefore: 0,
    offline: false };
}

/** When time itself will change the state. @param {State} state */
export function wakeAt(state) {
  if (state.phase === "opening") return state.deadline;
  if (state.phase === "waiting") return state.nextTryAt;
  if (state.phase === "idle") return null;
  const silence = state.heartbeat * (state.name === "stale" ? LOST : LATE);
  return Math.min(Math.max(state.lastByteAt + silence, state.graceUntil), state.probeAt ?? Infinity);
}

/** The wall clock was set back: what we remember moves with it. @param {State} state @param {number} by */
export function shift(state, by) {
  const times = /** @type {const} */ ([
    "nextTryAt", "troubledSince", "probeAt", "deadline", "liveSince", "lastByteAt", "graceUntil", "notBefore"]);
  for (const key of times) if (state[key]) state[key] += by;
}

/** What the outside may see. @param {State} state */
export function snapshot(state) {
  const { name, reason, nextTryAt, troubledSince, transports, index } = state;
  const fine = troubledSince === null;
  return Object.freeze({ name, reason, attempt: fine ? 0 : state.attempt, nextTryAt, troubledSince, transport: transports[index] });
}

/** @typedef {ReturnType<typeof snapshot>} Snapshot */
