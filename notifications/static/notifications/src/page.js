/** What happens to the page: seen or hidden, cached and restored, frozen and thawed, online and offline. */

/**
 * @param {import("./env.js").Env} env
 * @param {{suspend: () => void, awaken: () => void, visibility: () => void, online: (type: "online" | "offline") => void}} parts
 * @returns {() => void} stop listening
 */
export function watchPage({ window, document }, { suspend, awaken, visibility, online }) {
  const abort = new AbortController();
  const options = { signal: abort.signal };
  // `pagehide`: into the back/forward cache, or away for ever. Chrome 149 and later do not reliably fire
  // `visibilitychange` after `resume`.
  window?.addEventListener("pagehide", suspend, options);
  window?.addEventListener("pageshow", awaken, options);
  document?.addEventListener("freeze", suspend, options);
  document?.addEventListener("resume", awaken, options);
  document?.addEventListener("visibilitychange", visibility, options);
  window?.addEventListener("online", () => online("online"), options);
  window?.addEventListener("offline", () => online("offline"), options);
  return () => abort.abort();
}
