/**
 * What was sent and is not acknowledged yet. It outlives reloads: each message has a key of its own in localStorage, so
 * that tabs never overwrite each other's, and leaves it with the acknowledgement.
 *
 * Tabs share the store on purpose: what a closed tab left behind, another one sends. Two that send the same message do
 * no harm, for its id is the same and the server stores it once.
 */
export type Entry = import("./types.js").Entry;
export declare class Outbox {
    #private;
    /** So much waits that no more is taken. @returns {boolean} */
    get full(): boolean;
}
