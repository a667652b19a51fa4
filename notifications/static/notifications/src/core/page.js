/**
 * What happens to the page: seen or hidden, cached and restored, frozen and thawed, online and offline.
 *
 * @param {import("./env.js").Env} env
 * @param {AbortSignal} signal ends it
 * @param {{suspend: () => void, awaken: () => void, visibility: () => void, network: (event: {type: "online" | "offline"}) => void}} parts
 */
export function watchPage({ window, document }, signal, { suspend, awaken, visibility, network }) {
  const listen = (
    /** @type {EventTarget | undefined} */ target,
    /** @type {Record<string, (event: any) => void>} */ listeners,
  ) => {
    for (const type in listeners) target?.addEventListener(type, listeners[type], { signal });
  };
  // `pagehide`: into the back/forward cache, or away for ever. Chrome 149 and later do not reliably fire
  // `visibilitychange` after `resume`.
  listen(window, { pagehide: suspend, pageshow: awaken, online: network, offline: network });
  listen(document, { freeze: suspend, resume: awaken, visibilitychange: visibility });
}
