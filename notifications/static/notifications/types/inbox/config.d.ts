/** The page's one client, from the configuration that `{% notifications_head %}` wrote into it. */
/**
 * @returns {import("./client.js").Client | null} null on a page without configuration: nobody is signed in
 */
export declare function connection(): import("./client.js").Client | null;
