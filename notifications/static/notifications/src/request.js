/** Requests to the JSON API. */

import { refusal } from "./refusal.js";

/**
 * The options of every GET.
 *
 * @param {string} type the media type wanted
 * @param {AbortSignal} [signal]
 * @param {Record<string, string> | ""} [headers]
 * @returns {RequestInit}
 */
export const get = (type, signal, headers) => ({ headers: { Accept: type, ...(headers || {}) }, signal, cache: "no-store", redirect: "manual" });

/** The server refused, or was not reached (`reason: "network"`). */
export class Refusal extends Error {
  /** @param {string} reason @param {string} [message] of the server */
  constructor(reason, message) {
    super(message);
    this.reason = reason;
  }
}

/**
 * @param {import("./types.js").Config} config
 * @param {import("./env.js").Env} env
 */
export function requester({ csrf }, { fetch, document }) {
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
   * @throws {Refusal}
   */
  return async (url, body) => {
    const options = get("application/json");
    if (body) {
      // `keepalive`: a click on a link marks as read and leaves the page at once.
      Object.assign(options, { method: "POST", body: JSON.stringify(body), keepalive: true });
      Object.assign(/** @type {object} */ (options.headers), { "Content-Type": "application/json", [csrf.header]: token() });
    }
    /** @type {any} */
    let answer;
    const response = await fetch(url, options).catch(() => {
      throw new Refusal("network");
    });
    const ending = refusal(response, "application/json");
    try {
      answer = await response.json();
    } catch {
      if (!ending) throw new Refusal("network"); // cut off in the middle
    }
    if (ending) throw new Refusal(ending.reason, answer?.message);
    return answer;
  };
}
