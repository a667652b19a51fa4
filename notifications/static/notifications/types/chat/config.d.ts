/** The page's one chat, from the configuration that `{% notifications_head %}` and `{% chat_head %}` wrote into it. */
/** @returns {import("./client.js").Chat | null} null on a page without configuration: nobody is signed in */
export declare function chat(): import("./client.js").Chat | null;
/** Fetch what the page lacks, for a user who signed in without a load. @returns {Promise<boolean>} */
export declare function prepare(): Promise<boolean>;
