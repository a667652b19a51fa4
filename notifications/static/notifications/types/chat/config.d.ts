/** The page's one chat, from the configuration that `{% notifications_head %}` and `{% chat_head %}` wrote into it. */
/** @returns {import("./client.js").Chat | null} null on a page without configuration: nobody is signed in */
export declare function chat(): import("./client.js").Chat | null;
