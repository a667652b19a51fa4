/** The page's one chat, from the configuration that `{% notifications_head %}` and `{% chat_head %}` wrote into it. */

import { fetchConfig, findConfig, pageUser } from "../core/config.js";
import { createChat } from "./client.js";

const SHARED = Symbol.for("carillon.chat");
const [COMMON, OWN] = ["notifications-config", "chat-config"];

/** @returns {import("./client.js").Chat | null} null on a page without configuration: nobody is signed in */
export function chat() {
  const shared = /** @type {{[SHARED]?: import("./client.js").Chat}} */ (globalThis);
  const before = shared[SHARED];
  const user = pageUser();
  if (before && (!user || before.config.user === user)) return before;
  before?.replace();
  const common = findConfig(COMMON, user);
  const own = common && findConfig(OWN, common.user);
  shared[SHARED] = undefined;
  if (!own) return null;
  const [strings, urls] = ["strings", "urls"].map((part) => ({ ...common[part], ...own[part] }));
  shared[SHARED] = createChat({ ...common, me: own.me, strings, urls });
  return shared[SHARED];
}

/** Fetch what the page lacks, for a user who signed in without a load. @returns {Promise<boolean>} */
export async function prepare() {
  const found = () => findConfig(COMMON, pageUser());
  return (found() || (await fetchConfig(COMMON))) && fetchConfig(OWN, found()?.urls.chat);
}
