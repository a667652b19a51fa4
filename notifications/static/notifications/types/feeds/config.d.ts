/** The page's feeds, from the configuration that `{% feeds_head %}` wrote into it. */
export type Feeds = import("./client.js").Feeds;
export type PageConnection = import("./types.js").PageConnection;
/**
 * @returns {Feeds | null} null on a page without configuration
 */
export declare function feeds(): Feeds | null;
