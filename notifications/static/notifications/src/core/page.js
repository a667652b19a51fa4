/**
 * What happens to the page: seen or hidden, cached and restored, frozen and thawed, online and offline.
 *
 * @param {import("./env.js").Env} env
 * @param {{suspend: () => void, awaken: () => void, visibility: () => void, network: (type: "online" | "offline") => void}} parts
 * @returns {() => void} stop listening
 */
export function watchPage({ window, document }, { suspend, awaken, visibility, network }) {
  const abort = new AbortController();
  const listen = (
    /** @type {EventTarget | undefined} */ target,
    /** @type {Record<string, (event: any) => void>} */ listeners,
  ) => {
    for (const type in listeners) target?.addEventListener(type, listeners[type], { signal: abort.signal });
  };
  const online = (/** @type {{type: "online" | "offline"}} */ { type }) => network(type);
  // `pagehide`: into the back/forward cache, or away for ever. Chrome 149 and later do not reliably fire
  // `visibilitychange` after `resume`.
  listen(window, { pagehide: suspend, pageshow: awaken, online, offline: online });
  listen(document, { freeze: suspend, resume: awaken, visibilitychange: visibility });
  return () => abort.abort();
}
