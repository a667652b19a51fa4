/** What the machine remembers, its times, and when it wants to be woken. */
export declare const OPENING = 15000;
export declare const STABLE = 10000;
export declare const GRACE = 2000;
export declare const SLEEP = 20000;
export declare const PROMPT = 1000;
export declare const TRIES = 3;
export declare const REDIRECTS = 3;
export declare const PROBE_MAX = 600000;
export declare const PATIENCE = 6;
export declare const LATE = 1.2;
export declare const LOST = 2;
export declare const PROBE = 2000;
export type Name = "connecting" | "live" | "stale" | "reconnecting" | "offline" | "paused" | "polling" | "signed-out" | "closed";
export type State = {
    /**
     * what people are told
     */
    name: Name;
    /**
     * what the wire does
     */
    phase: "idle" | "opening" | "open" | "waiting";
    /**
     * a code, empty while all is well
     */
    reason: string;
    /**
     * failures in a row; 0 again once a connection was stable
     */
    attempt: number;
    /**
     * epoch ms
     */
    nextTryAt: number | null;
    /**
     * epoch ms since it is neither live nor polling
     */
    troubledSince: number | null;
    /**
     * epoch ms of the next `tick`
     */
    wakeAt: number | null;
    /**
     * of the transport in use
     */
    index: number;
    /**
     * index of the last transport, which is polling
     */
    last: number;
    /**
     * index of the fallback to return to if streaming still fails
     */
    probing: number | null;
    /**
     * openings in a row without `hello`
     */
    unheard: number;
    /**
     * in a row: the site may have signed the user out, or be in maintenance
     */
    redirects: number;
    /**
     * ms from the fallback's `hello` to the next look at streaming
     */
    probeIn: number;
    /**
     * epoch ms of it
     */
    probeAt: number | null;
    /**
     * epoch ms of the last step
     */
    at: number;
    /**
     * epoch ms for the opening's `hello`
     */
    deadline: number;
    /**
     * epoch ms of the last `hello`
     */
    liveSince: number;
    /**
     * epoch ms
     */
    lastByteAt: number;
    /**
     * epoch ms until which silence is excused
     */
    graceUntil: number;
    /**
     * ms
     */
    heartbeat: number;
    /**
     * ms that the server wants between connections
     */
    floor: number;
    /**
     * epoch ms that the server named when it refused
     */
    notBefore: number;
    /**
     * the browser says so
     */
    offline: boolean;
};
export type Snapshot = {
    name: Name;
    reason: string;
    attempt: number;
    nextTryAt: number | null;
    troubledSince: number | null;
    transport: string;
};
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
export declare function initial(transports: readonly string[]): State;
/** @param {{name: string}} state */
export declare const isFine: ({ name }: {
    name: string;
}) => boolean;
/** When time itself will change the state. @param {State} state */
export declare function wakeAt({ phase, deadline, nextTryAt, heartbeat, name, lastByteAt, graceUntil, probeAt }: State): number | null;
/** The wall clock was set back: the times that we remember move with it. @param {any} state @param {number} by */
export declare function shift(state: any, by: number): void;
/**
 * A state that is not the machine's: nothing is tried.
 *
 * @param {Name} name
 * @param {string} reason
 * @returns {Snapshot}
 */
export declare const plain: (name: Name, reason: string) => Snapshot;
