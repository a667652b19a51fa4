/** The feeds of a page: whoever follows one gets a handle, and all share the page's one connection. */
import { Follower } from "./follower.js";
/**
 * Make the feeds of a page client of your own.
 *
 * @param {import("./types.js").FeedsConfig} config
 * @param {import("./types.js").PageConnection | Promise<import("./types.js").PageConnection>} page
 * @returns {Feeds}
 */
export declare function createFeeds(config: import("./types.js").FeedsConfig, page: import("./types.js").PageConnection | Promise<import("./types.js").PageConnection>): Feeds;
export declare class Feeds {
    #private;
    /** What was written into the page. @type {Readonly<import("./types.js").FeedsConfig>} */
    config: Readonly<import("./types.js").FeedsConfig>;
    /**
     * Follow a feed, until the handle is closed.
     *
     * @param {string} name
     * @param {import("./types.js").Handlers} [handlers]
     * @returns {Follower}
     */
    follow(name: string, handlers?: import("./types.js").Handlers): Follower;
    /**
     * Have the writer of a growing text stop.
     *
     * @param {number} id of its event
     * @returns {Promise<boolean>} whether it was still being written
     */
    stop(id: number): Promise<boolean>;
}
