/** Requests to the JSON API. */

import { refusal } from "./refusal.js";

const PATIENCE = 30_000; // ms for an answer

/**
 * The options of every GET.
 *
 * @param {{user: string, language?: string}} page that asks: another user may have signed in since, and is not to
 *   answer; it is empty for a page that was made for nobody. The answer is in the page's language
 * @param {string} type the media type wanted
 * @param {AbortSignal} [signal]
 * @param {any} [headers] more of them, by name
 * @returns {RequestInit}
 */
export const get = ({ user, language = "" }, type, signal, headers) => ({
  headers: { Accept: type, "Carillon-User": user, "Carillon-Language": language, ...headers },
  signal,
  cache: "no-store",
  redirect: "manual",
});

/**
 * Ask the server.
 *
 * @param {import("./types.js").PageConfig} config
 * @param {import("./env.js").Env} env
 * @param {string} url
 * @param {object} [body] makes it a POST
 * @param {boolean} [leaving] the page may be about to go, as after a click on a link; the request outlives it
 * @returns {Promise<any>}
 * @throws {Error} with a `reason`: the server refused, did not answer (`timeout`) or was not reached (`network`)
 */
export async function request(config, env, url, body, leaving) {
  const { csrf, urls } = config;
  const abort = new AbortController();
  const timer = env.setTimeout(() => abort.abort(), PATIENCE);
  /** @param {string} [fresh] @param {boolean} [keepalive] */
  const send = (fresh, keepalive) => {
    const headers = body && { "Content-Type": "application/json", [csrf.header]: fresh ?? token(csrf, env.document) };
    const post = body && { method: "POST", body: JSON.stringify(body), keepalive };
    return env.fetch(url, { ...get(config, "application/json", abort.signal, headers), ...post });
  };
  try {
    // What outlives a page is limited by browsers: if it does not fit, it may still get through.
    let response = await (leaving ? send(undefined, true).catch(() => send()) : send());
    let ending = await refusal(response, "application/json");
    if (ending?.reason === "csrf" && body && urls?.csrf) {
      csrf.token = (await request(config, env, urls.csrf)).token; // the session is a later one than the page
      response = await send(csrf.token);
      ending = await refusal(response, "application/json");
    }
    if (!ending) return await response.json();
    throw Object.assign(new Error(ending.message), ending);
  } catch (error) {
    const { reason = abort.signal.aborted ? "timeout" : "network" } = /** @type {any} */ (error);
    throw Object.assign(/** @type {Error} */ (error), { reason });
  } finally {
    env.clearTimeout(timer);
  }
}

/**
 * The token changes at sign-in, so the cookie is fresher than the page.
 *
 * @param {import("./types.js").PageConfig["csrf"]} csrf
 * @param {Document | undefined} document
 */
function token(csrf, document) {
  const name = `${csrf.cookie}=`;
  const pair = document?.cookie.split("; ").find((pair) => pair.startsWith(name));
  return pair ? decodeURIComponent(pair.slice(name.length)) : csrf.token;
}
