/** This browser's push subscription, as far as the browser has any. */

import { attempt, settled } from "../core/browser.js";
import { pushApi, scriptAddress } from "../core/push-api.js";

const READY = 10_000; // ms for the worker to be there
const PATIENCE = 60_000; // ms for the push service of the browser; people may think about the question for longer

/** @typedef {{endpoint: string, keys: {p256dh: string, auth: string}}} Subscription */
/** @typedef {ReturnType<typeof pushApi>} Api */

/** Whether pushes can be had, and what people have said: `unsupported`, `denied`, or empty. @param {Api} api */
export const obstacle = (api) => (api ? (attempt(api.permission) === "denied" ? "denied" : "") : "unsupported");

/**
 * The subscription that there is; one for another key of the site's ends.
 *
 * @param {Api} api @param {string} scope @param {string} key
 * @returns {Promise<any>} undefined: there is none
 */
export async function existing(api, scope, key) {
  const registration = await settled(() => api?.workers.getRegistration(scope), READY);
  const found = await settled(() => registration?.pushManager.getSubscription(), READY);
  if (found && attempt(() => encoded(/** @type {any} */ (found.options.applicationServerKey)), key) !== key) {
    await settled(() => found.unsubscribe(), READY);
    return undefined;
  }
  return found ?? undefined;
}

/**
 * Ask for pushes; in answer to a click alone, for it asks people a question.
 *
 * @param {Api} api @param {string} scope @param {string} key
 * @returns {Promise<any>}
 * @throws {Error} it cannot be had
 */
export async function subscribe(api, scope, key) {
  if (!api || (await settled(api.ask)) !== "granted") throw new Error("denied");
  const registration = await api.workers.register(scriptAddress(`${scope}worker.js`), { scope });
  await active(registration);
  const options = { userVisibleOnly: true, applicationServerKey: key };
  const made = await settled(() => registration.pushManager.subscribe(options), PATIENCE);
  if (!made) throw new Error("failed");
  return made;
}

/** Wait for the worker: `ready` is about that of the page, which is another one or none. @param {ServiceWorkerRegistration} registration */
function active(registration) {
  const worker = registration.installing ?? registration.waiting;
  return settled(
    () =>
      registration.active ??
      new Promise((resolve) => {
        worker?.addEventListener("statechange", () => worker.state === "activated" && resolve(undefined));
      }),
    READY,
  );
}

/** @param {ArrayBuffer} bytes @returns {string} base64url */
const encoded = (bytes) =>
  btoa(String.fromCharCode(...new Uint8Array(bytes)))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
