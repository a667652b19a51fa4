/** The page's one client, from the configuration that `{% notifications_head %}` wrote into it. */
/**
 * @returns {import("./client.js").Client | null} null on a page without configuration: nobody is signed in
 */
export declare function connection(): import("./client.js").Client | null;
/** Fetch what the page lacks, for a user who signed in without a load. @returns {Promise<boolean>} */
export declare const prepare: () => Promise<boolean>;
