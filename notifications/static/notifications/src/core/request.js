/** Requests to the JSON API. */

import { refusal } from "./refusal.js";

/**
 * The options of every GET.
 *
 * @param {string} user whose page asks: another user may have signed in since, and is not to answer; empty for a page
 *   that was made for nobody
 * @param {string} type the media type wanted
 * @param {AbortSignal} [signal]
 * @param {any} [headers] more of them, by name
 * @returns {RequestInit}
 */
export const get = (user, type, signal, headers) => ({
  headers: { Accept: type, "Carillon-User": user, ...headers },
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
 * @returns {Promise<any>}
 * @throws {Error} with a `reason`: the server refused, or was not reached (`network`)
 */
export async function request({ csrf, user }, { fetch, document }, url, body) {
  // `keepalive`: a click on a link marks as read and leaves the page at once.
  const post = body && { method: "POST", body: JSON.stringify(body), keepalive: true };
  const headers = body && { "Content-Type": "application/json", [csrf.header]: token(csrf, document) };
  let reason = "network";
  try {
    const response = await fetch(url, { ...get(user, "application/json", undefined, headers), ...post });
    const ending = refusal(response, "application/json");
    if (!ending) return await response.json();
    ({ reason } = ending);
  } catch {
    // Not reached, or cut off in the middle.
  }
  throw Object.assign(new Error(reason), { reason });
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
