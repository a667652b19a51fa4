/**
 * What an HTTP answer that is not the wanted one means. Only Carillon's own answers are final: during a deploy, in a
 * hotel's network or behind a gateway something else answers in its place, and goes away again.
 */

import { settled } from "./browser.js";

/** @typedef {import("./types.js").Ending} Ending */

/** The codes of our own that the client acts on, each with its status. */
const CODES = /** @type {Record<string, number>} */ ({
  "signed-out": 401,
  "other-user": 401,
  csrf: 403,
  "too-many": 429,
  "no-streaming": 501,
  busy: 503,
});

/**
 * Say why a response cannot be used.
 *
 * Requests are made with `redirect: "manual"`: no endpoint of ours redirects, so a redirect is somebody else's answer.
 *
 * @param {Response} response
 * @param {string} type the media type that was asked for
 * @returns {Promise<Ending | null>} null when it can be used
 */
export async function refusal(response, type) {
  const { ok, status, headers } = response;
  const got = headers.get("Content-Type") ?? "";
  if (ok) return got.startsWith(type) ? null : { reason: "content-type" };
  if (status < 400) return { reason: "login-page" }; // browsers hide a redirect behind status 0
  const retry = retryAfter(headers.get("Retry-After"));
  const { code, message } = (got.startsWith("application/json") && (await settled(() => response.json()))) || {};
  const ours = typeof code === "string" && typeof message === "string" && (CODES[code] ?? status) === status;
  return ours ? { reason: code, message, retry } : { reason: "http", retry };
}

/** Retry-After in seconds or as a date (RFC 9110, 10.2.3). @param {string | null} value @returns {number | undefined} ms */
export function retryAfter(value) {
  if (!value) return undefined;
  const time = /^\s*\d+\s*$/.test(value) ? +value * 1000 : Date.parse(value) - Date.now();
  return time > 0 ? time : undefined;
}
