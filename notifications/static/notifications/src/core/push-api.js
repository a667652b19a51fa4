/** What a browser may lack, deny or break of pushes: asked here and nowhere else, as `browser.js` does for the rest. */

import { attempt } from "./browser.js";

/** The global scope of a service worker. @returns {any} */
export const workerScope = () => globalThis;

/** Whether somebody looks at a page, as its service worker knows it. @param {any} page @returns {boolean} */
export const isLookedAt = ({ focused, visibilityState }) => focused && visibilityState === "visible";

/** Whether a push must be shown in any case: Safari ends the subscription where one is not, whoever looks. */
export const mustShow = () => attempt(() => /AppleWebKit(?!.*Chrom)/.test(globalThis.navigator.userAgent)) ?? false;

/** @type {any} one for the document: a name is used once */
let policy;

/**
 * Allow a script's address, where the site wants to know of each (Trusted Types).
 *
 * @param {string} url of this site
 * @returns {any}
 */
export function scriptAddress(url) {
  const createScriptURL = (/** @type {string} */ given) => new URL(given, location.origin).pathname;
  policy ??= attempt(() => /** @type {any} */ (globalThis).trustedTypes.createPolicy("carillon", { createScriptURL }));
  return policy?.createScriptURL(url) ?? url;
}

/** What the browser has for pushes; undefined where it lacks some of it, as in a page without a secure context. */
export const pushApi = () =>
  attempt(() => {
    const workers = globalThis.navigator.serviceWorker;
    const permission = () => Notification.permission;
    const there = workers && "PushManager" in globalThis && permission();
    return there ? { workers, permission, ask: () => Notification.requestPermission() } : undefined;
  });
