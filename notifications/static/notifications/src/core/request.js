/** Requests to the JSON API. */

import { refusal } from "./refusal.js";

/**
 * The options of every GET.
 *
 * @param {string} user whose page asks: another user may have signed in since, and is not to answer
 * @param {string} type the media type wanted
 * @param {AbortSignal} [signal]
 * @param {any} [headers] more of them, by name
 * @returns {RequestInit}
 */
export const get = (user, type, signal, headers) => ({
  headers: { Accept: type, "Carillon-User": user, ...headers }, signal, cache: "no-store", redirect: "manual",
});

/**
 * @param {import("../inbox/types.js").Config} config
 * @param {import("./env.js").Env} env
 */
export function requester({ csrf, user }, { fetch, document }) {
  /** The token changes at sign-in, so the cookie is fresher than the page. */
  const token = () => {
    const name = `${csrf.cookie}=`;
    const pair = document?.cookie.split("; ").find((pair) => pair.startsWith(name));
    return pair ? decodeURIComponent(pair.slice(name.length)) : csrf.token;
  };

  /**
   * @param {string} url
   * @param {object} [body] makes it a POST
   * @returns {Promise<any>}
   * @throws {Error} with a `reason`: the server refused, or was not reached (`network`)
   */
  return async (url, body) => {
    const options = get(user, "application/json");
    if (body) {
      // `keepalive`: a click on a link marks as read and leaves the page at once.
      Object.assign(options, { method: "POST", body: JSON.stringify(body), keepalive: true });
      Object.assign(/** @type {object} */ (options.headers), { "Content-Type": "application/json", [csrf.header]: token() });
    }
    let reason = "network";
    try {
      const response = await fetch(url, options);
      const ending = refusal(response, "application/json");
      if (!ending) return await response.json();
      ({ reason } = ending);
    } catch {
      // Not reached, or cut off in the middle.
    }
    throw Object.assign(new Error(reason), { reason });
  };
}
