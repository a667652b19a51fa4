/**
 * What the service worker does: it shows what is pushed, unless people look at the site anyway, and opens what they
 * click. It runs without a page, may be ended at any moment, and any part of it may fail without the others.
 */

import { ask, attempt, badgeApp, settled } from "../core/browser.js";
import { isLookedAt, mustShow } from "../core/push-api.js";
import { get } from "../core/request.js";

/**
 * @typedef {object} Config
 * @property {string} key of the site
 * @property {string} icon
 * @property {string} header of the CSRF token
 * @property {{csrf: string, clicked: string, page: string, push: string}} urls
 */
/** @typedef {{id: string, user: string, tag: string, item: number, lang: string, unread: number, url: string, title: string, body: string}} Pushed */

const PATIENCE = 10_000; // ms; a worker that waits for longer is ended by the browser
const LOOK = 1_000; // ms for the browser to say what it shows

/**
 * @param {any} scope the worker's global scope
 * @param {Config} config
 * @param {(input: string, init: RequestInit) => Promise<Response>} [send]
 */
export function serve(scope, { key, icon, header, urls }, send = ask) {
  /** @param {string} type @param {(event: any) => Promise<unknown>} act */
  const on = (type, act) => scope.addEventListener(type, (/** @type {any} */ event) => event.waitUntil(act(event)));

  const windows = async () =>
    (await settled(() => scope.clients.matchAll({ type: "window", includeUncontrolled: true }), LOOK)) ?? [];

  /** What is shown of an item. @param {string} [tag] @returns {Promise<any[]>} */
  const present = async (tag) =>
    (tag && (await settled(() => scope.registration.getNotifications({ tag }), LOOK))) || [];

  /** @param {string} url @param {string} [user] whose it is: another one who has signed in since gets nothing @param {object} [body] */
  const request = async (url, user = "", body) => {
    const options = get({ user }, "application/json");
    if (body) {
      const { token } = await request(urls.csrf, user);
      Object.assign(/** @type {any} */ (options.headers), { [header]: token, "Content-Type": "application/json" });
      Object.assign(options, { method: "POST", body: JSON.stringify(body) });
    }
    const response = await send(url, options);
    if (!response.ok) throw new Error(`${response.status}`);
    return response.json();
  };

  /** @type {Promise<unknown>} */
  let last = Promise.resolve();

  /**
   * Show one push at a time: Chromium forgets a notification that it is about to show while it is asked for others, and
   * then a click on it does nothing.
   *
   * @param {any} event
   */
  const showInTurn = (event) => {
    const before = last;
    last = settled(() => before, PATIENCE).then(() => show(event));
    return last;
  };

  /** @param {any} event */
  const show = async ({ data }) => {
    /** @type {Partial<Pushed>} */
    const { id, user, tag, item, lang, unread, url, title, body } = attempt(() => data.json()) ?? {};
    if (unread !== undefined) badgeApp(unread);
    const looking = (await windows()).some(isLookedAt);
    if (looking && !mustShow()) return;
    const before = await present(tag);
    // What has grown is shown anew; what was sent twice is not.
    const renotify = before.length > 0 && before.every((/** @type {any} */ shown) => shown.data?.id !== id);
    const options = {
      body,
      tag,
      lang,
      renotify,
      silent: looking,
      icon: icon || undefined,
      data: { id, user, item, url },
    };
    await settled(() => scope.registration.showNotification(title ?? scope.location.hostname, options));
    if (looking) for (const shown of await present(tag)) attempt(() => shown.close());
  };

  /** @param {string} [url] */
  const open = async (url) => {
    const { href, protocol } = new URL(url || urls.page, scope.location.href);
    if (!/^https?:$/.test(protocol)) return;
    const there = (await windows()).find((/** @type {any} */ page) => page.url === href);
    const focused = there && (await settled(() => there.focus()));
    if (!focused) await settled(() => scope.clients.openWindow(href));
  };

  /** @param {any} event */
  const click = ({ notification }) => {
    attempt(() => notification.close());
    const { user, item, url } = notification.data ?? {};
    const mark = () => item && request(urls.clicked, user, { item });
    return Promise.all([settled(() => open(url), PATIENCE), settled(mark, PATIENCE)]);
  };

  /** @param {any} event */
  const change = async ({ newSubscription, oldSubscription }) => {
    const { pushManager } = scope.registration;
    const options = oldSubscription?.options ?? { userVisibleOnly: true, applicationServerKey: key };
    const made = newSubscription ?? (await settled(() => pushManager.subscribe(options)));
    const answer = made && (await settled(() => request(urls.push, "", { ...made.toJSON(), renew: true }), PATIENCE));
    if (made && answer && answer.here === null) await settled(() => made.unsubscribe()); // nobody wants it here any more
  };

  scope.addEventListener("install", () => settled(() => scope.skipWaiting()));
  on("push", showInTurn);
  on("notificationclick", click);
  on("pushsubscriptionchange", change);
}
