/** The inbox of this tab, kept right: frames come in, holes are filled, and what has changed is rendered once per frame. */
import { PageClient } from "../core/page-client.js";
import { Feed } from "./feed.js";
import { Store } from "./store.js";
export type Config = import("./types.js").Config;
export type Item = import("./types.js").Item;
/** @extends {PageClient<Config, import("./types.js").Events>} */
export declare class LiveInbox extends PageClient<Config, import("./types.js").Events> {
    #private;
    /** A page that was loaded later runs another version: a deploy happened. */
    outdated: boolean;
    /** The connection, as this tab knows it. @returns {Readonly<import("./types.js").State>} */
    get state(): Readonly<import("./types.js").State>;
    /** Whether this tab holds the connection for the others. @returns {boolean} */
    get leading(): boolean;
    /** The numbers for a badge. @returns {import("./types.js").Counts} */
    get counts(): import("./types.js").Counts;
    /** Connect, and stay connected until `stop()`. */
    start(): void;
    /** Disconnect, whoever wants the connection. */
    stop(): void;
    /** Try now, whatever the state. */
    retryNow(): void;
    /**
     * A list of items; the same object for the same filter. Each search is another one, and only the last is kept right.
     *
     * @param {Partial<import("./types.js").Listed>} [filter]
     * @returns {Feed}
     */
    feed({ state, category, kind, q }?: Partial<import("./types.js").Listed>): Feed;
}
