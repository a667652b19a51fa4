/** What the machine remembers, its times, and when it wants to be woken. */

export const OPENING = 15_000; // ms from the request to `hello`; a proxy that buffers never gets there
export const STABLE = 10_000; // ms live before the backoff starts over, else accept-then-drop never backs off
export const GRACE = 2_000; // ms for bytes that queue behind a timer that came late
export const SLEEP = 20_000; // ms that a clock jumps in a machine that slept
export const PROMPT = 1_000; // ms over which a crowd that woke together is spread
export const TRIES = 3; // openings without `hello` before the next transport
export const REDIRECTS = 3; // in a row, until a page is told that it is signed out: no endpoint of ours redirects
export const PROBE_MAX = 600_000; // ms
export const PATIENCE = 6; // the backoff of a browser that says it is offline, which may be wrong, or behind somebody else's answer
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
 * @property {number} index of the transport in use
 * @property {number} last index of the last transport, which is polling
 * @property {number | null} probing index of the fallback to return to if streaming still fails
 * @property {number} unheard openings in a row without `hello`
 * @property {number} redirects in a row: the site may have signed the user out, or be in maintenance
 * @property {number} probeIn ms from the fallback's `hello` to the next look at streaming
 * @property {number | null} probeAt epoch ms of it
 * @property {number} at epoch ms of the last step
 * @property {number} deadline epoch ms for the opening's `hello`
 * @property {number} liveSince epoch ms of the last `hello`
 * @property {number} lastByteAt epoch ms
 * @property {number} graceUntil epoch ms until which silence is excused
 * @property {number} heartbeat ms
 * @property {number} floor ms that the server wants between connections
 * @property {number} notBefore epoch ms that the server named when it refused
 * @property {boolean} offline the browser says so
 */

/**
 * @typedef {object} Snapshot what the outside may see
 * @property {Name} name
 * @property {string} reason
 * @property {number} attempt
 * @property {number | null} nextTryAt
 * @property {number | null} troubledSince
 * @property {string} transport
 */

/** @param {readonly string[]} transports in order of preference @returns {State} */
export function initial(transports) {
  return {
    ...plain("closed", "stopped"),
    phase: "idle",
    wakeAt: null,
    index: 0,
    last: transports.length - 1,
    probing: null,
    unheard: 0,
    redirects: 0,
    probeIn: PROBE,
    probeAt: null,
    at: 0,
    deadline: 0,
    liveSince: 0,
    lastByteAt: 0,
    graceUntil: 0,
    heartbeat: 25_000,
    floor: 0,
    notBefore: 0,
    offline: false,
  };
}

/** @param {{name: string}} state */
export const isFine = ({ name }) => name === "live" || name === "polling";

/** When time itself will change the state. @param {State} state */
export function wakeAt({ phase, deadline, nextTryAt, heartbeat, name, lastByteAt, graceUntil, probeAt }) {
  if (phase === "opening") return deadline;
  if (phase !== "open") return nextTryAt;
  return Math.min(Math.max(lastByteAt + heartbeat * (name === "stale" ? LOST : LATE), graceUntil), probeAt ?? Infinity);
}

/** The wall clock was set back: the times that we remember move with it. @param {any} state @param {number} by */
export function shift(state, by) {
  for (const key in state) if (state[key] > 1e11) state[key] += by; // no duration is that long
}

/**
 * A state that is not the machine's: nothing is tried.
 *
 * @param {Name} name
 * @param {string} reason
 * @returns {Snapshot}
 */
export const plain = (name, reason) => ({
  name,
  reason,
  attempt: 0,
  nextTryAt: null,
  troubledSince: null,
  transport: "",
});
