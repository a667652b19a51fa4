/** Makes the elements of feeds known to the browser. */
/** @param {import("../../feeds/client.js").Feeds} feeds of the page */
export declare function register(feeds: import("../../feeds/client.js").Feeds): void;
