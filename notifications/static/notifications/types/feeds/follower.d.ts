/** A handle on a feed that is followed: close it, or read the events one after the other. */
export type FeedEvent = import("./types.js").FeedEvent;
export declare class Follower {
    #private;
    /** The feed's name. */
    get name(): string;
    /** How the feed is. @returns {import("./types.js").FeedState} */
    get state(): import("./types.js").FeedState;
    /** The present events, oldest first: of a log the newest, else the latest of each key. @returns {FeedEvent[]} */
    get events(): FeedEvent[];
    /** Follow it no longer. */
    close(): void;
    /**
     * The present events, and then each that comes, until the handle is closed, the loop is left or the feed is gone.
     *
     * @returns {AsyncGenerator<FeedEvent, void, void>}
     */
    [Symbol.asyncIterator](): AsyncGenerator<FeedEvent, void, void>;
}
