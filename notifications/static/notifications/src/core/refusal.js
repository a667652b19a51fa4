/** What an HTTP answer that is not the wanted one means. */

/** @typedef {import("./types.js").Ending} Ending */

const REASONS = /** @type {Record<number, string>} */ ({
  401: "signed-out",
  403: "forbidden",
  429: "too-many",
  501: "no-streaming",
  503: "busy",
});

/**
 * Say why a response cannot be used.
 *
 * Requests are made with `redirect: "manual"`: no endpoint of ours redirects, so a redirect leads to a login page.
 *
 * @param {Response} response
 * @param {string} type the media type that was asked for
 * @returns {Ending | null} null when it can be used
 */
export function refusal(response, type) {
  const { ok, status, headers } = response;
  if (!ok && status < 400) return { reason: "login-page" }; // browsers hide a redirect behind status 0
  if (!ok) return { reason: REASONS[status] ?? "http", retry: retryAfter(headers.get("Retry-After")) };
  const got = headers.get("Content-Type") ?? "";
  if (got.startsWith(type)) return null;
  return { reason: got.startsWith("text/html") ? "login-page" : "content-type" };
}

/** Retry-After in seconds or as a date (RFC 9110, 10.2.3). @param {string | null} value @returns {number | undefined} ms */
export function retryAfter(value) {
  if (!value) return undefined;
  const time = /^\s*\d+\s*$/.test(value) ? +value * 1000 : Date.parse(value) - Date.now();
  return time > 0 ? time : undefined;
}
