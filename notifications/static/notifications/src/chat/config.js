/** The page's one chat, from the configuration that `{% notifications_head %}` and `{% chat_head %}` wrote into it. */

import { createChat } from "./client.js";

const SHARED = Symbol.for("carillon.chat");

/** @returns {import("./client.js").Chat | null} null on a page without configuration: nobody is signed in */
export function chat() {
  const shared = /** @type {{[SHARED]?: import("./client.js").Chat}} */ (globalThis);
  if (!shared[SHARED]) {
    const [common, own] = ["notifications-config", "chat-config"].map(read);
    if (!common || !own) return null;
    const strings = { ...common.strings, ...own.strings };
    shared[SHARED] = createChat({ ...common, me: own.me, strings, urls: { ...common.urls, ...own.urls } });
  }
  return shared[SHARED];
}

/** @param {string} id */
function read(id) {
  const block = document.getElementById(id);
  return block && JSON.parse(block.textContent ?? "");
}
