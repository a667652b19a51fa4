/** Sound, desktop notification and app badge: asked for by the user, given by the leading tab when people look at no tab. */

import { askToNotify, badgeApp, mayNotify, showDesktop } from "../core/browser.js";
import { storageOf } from "../core/env.js";
import { UserStorage } from "../core/storage.js";
import { chime } from "./chime.js";
import { VisibleTabs } from "./visible-tabs.js";

const SHOWN = 3; // desktop notifications at once; the rest is in the bell

export class Alerts {
  #client;
  #storage;
  /** Take away what is shown on the desktop. @type {Set<() => void>} */
  #shown = new Set();

  /** @internal @param {import("./client.js").Client} client */
  constructor(client) {
    const { config, env } = client;
    const visible = new VisibleTabs(env, `carillon-alerts ${config.user}`, client.ended);
    let badge = NaN; // nobody knows what it says
    const showBadge = (/** @type {number} */ count) => {
      if (count !== badge) badgeApp(count);
      badge = count;
    };
    const clear = () => {
      for (const remove of this.#shown) remove();
      this.#shown.clear();
    };
    this.#client = client;
    this.#storage = new UserStorage(storageOf(env), "carillon-alerts ");
    client.on("notification", async ({ items }) => {
      if (client.leading && !(await visible.any()) && client.leading) this.#ring(items);
    });
    client.on("change", () => {
      if (client.leading) showBadge(client.counts.unseen);
      else badge = NaN; // who leads now says it
    });
    client.on("state", ({ to }) => {
      if (to !== "signed-out") return;
      clear();
      showBadge(0);
    });
    client.ended.addEventListener("abort", clear);
  }

  /** Whether the sound is on. @returns {boolean} */
  get sound() {
    return this.#wanted.includes("sound");
  }

  /** Whether desktop notifications are on. @returns {boolean} */
  get desktop() {
    return this.#wanted.includes("desktop") && mayNotify();
  }

  /** Switch the sound, and let it be heard once. @param {boolean} on */
  setSound(on) {
    this.#set("sound", on);
    if (on) chime();
  }

  /**
   * Switch desktop notifications, and show one. Call it from a click: the browser asks for permission.
   *
   * @param {boolean} on
   * @returns {Promise<boolean>} whether they are on now
   */
  async setDesktop(on) {
    const title = this.#client.text("notifications");
    // Only one that is shown says that they can be: some browsers allow them, and then throw.
    this.#set("desktop", on && (await askToNotify()) && (await this.#show(title, { tag: "carillon" })));
    return this.desktop;
  }

  /** @returns {string[]} */
  get #wanted() {
    const kept = this.#storage.get(this.#client.config.user);
    return Array.isArray(kept) ? kept : [];
  }

  /** @param {string} name @param {boolean} on */
  #set(name, on) {
    const others = this.#wanted.filter((other) => other !== name);
    this.#storage.set(this.#client.config.user, on ? [...others, name] : others);
  }

  /** @param {import("./types.js").Item[]} items */
  async #ring(items) {
    if (this.sound) chime();
    if (!this.desktop) return;
    for (const { id, title, body, url } of items.slice(-SHOWN)) {
      if (await this.#show(title, { body, tag: `carillon-${id}` }, url)) continue;
      this.#set("desktop", false); // the switch does not lie
      return this.#client.changed();
    }
  }

  /** @param {string} title @param {NotificationOptions} options @param {string} [url] @returns {Promise<boolean>} whether it is shown */
  async #show(title, options, url) {
    const remove = await showDesktop(title, options, () => {
      focus();
      if (url) location.assign(url);
      remove?.();
    });
    if (remove) this.#shown.add(remove);
    return !!remove;
  }
}
