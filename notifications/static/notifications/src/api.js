/** Requests to the JSON API. */

import { refusal } from "./refusal.js";

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
export function api({ csrf }, { fetch, document }) {
  /** The token changes at sign-in, so the cookie is fresher than the page. */
  const token = () => {
    const found = document?.cookie.split("; ").find((pair) => pair.startsWith(`${csrf.cookie}=`));
    return found ? decodeURIComponent(found.slice(csrf.cookie.length + 1)) : csrf.token;
  };

  /**
   * @param {string} url
   * @param {object} [body] makes it a POST
   * @returns {Promise<any>}
   * @throws {Refusal}
   */
  return async (url, body) => {
    /** @type {Response} */
    let response;
    /** @type {any} */
    let answer;
    try {
      response = await fetch(url, {
        headers: { Accept: "application/json", ...(body && { "Content-Type": "application/json", [csrf.header]: token() }) },
        // `keepalive`: a click on a link marks as read and leaves the page at once.
        ...(body && { method: "POST", body: JSON.stringify(body), keepalive: true }),
        credentials: "same-origin", redirect: "manual", cache: "no-store",
      });
      if (response.type !== "opaqueredirect") answer = await response.json().catch(() => undefined);
    } catch {
      throw new Refusal("network");
    }
    const ending = refusal(response, "application/json");
    if (ending) throw new Refusal(answer?.code ?? ending.reason, answer?.message);
    return answer;
  };
}
