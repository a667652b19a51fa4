/** Sound, desktop notification and app badge: asked for by the user, given by the leading tab when people look at no tab. */

import { storageOf } from "../core/env.js";
import { UserStorage } from "../core/storage.js";
import { chime } from "./chime.js";
import { VisibleTabs } from "./visible-tabs.js";

const SHOWN = 3; // desktop notifications at once; the rest is in the bell

export class Alerts {
  #storage;
  #user;

  /** @internal @param {import("./client.js").Client} client */
  constructor(client) {
    const { config, env } = client;
    const visible = new VisibleTabs(env, `carillon-alerts ${config.user}`);
    this.#user = config.user;
    this.#storage = new UserStorage(storageOf(env), "carillon-alerts ");
    client.on("notification", async ({ items }) => {
      if (client.leading && !(await visible.any())) this.#ring(items);
    });
    client.on("change", () => {
      if (client.leading) globalThis.navigator?.setAppBadge?.(client.counts.unseen).catch(() => {}); // an ornament; browsers may refuse
    });
  }

  /** Whether the sound is on. @returns {boolean} */
  get sound() {
    return this.#wanted.includes("sound");
  }

  /** Whether desktop notifications are on. @returns {boolean} */
  get desktop() {
    return this.#wanted.includes("desktop") && globalThis.Notification?.permission === "granted";
  }

  /** Switch the sound, and let it be heard once. @param {boolean} on */
  setSound(on) {
    this.#set("sound", on);
    if (on) chime();
  }

  /**
   * Switch desktop notifications. Call it from a click: the browser asks for permission.
   *
   * @param {boolean} on
   * @returns {Promise<boolean>} whether they are on now
   */
  async setDesktop(on) {
    this.#set("desktop", on && (await globalThis.Notification?.requestPermission()) === "granted");
    return this.desktop;
  }

  /** @returns {string[]} */
  get #wanted() {
    return this.#storage.get(this.#user) ?? [];
  }

  /** @param {string} name @param {boolean} on */
  #set(name, on) {
    const others = this.#wanted.filter((other) => other !== name);
    this.#storage.set(this.#user, on ? [...others, name] : others);
  }

  /** @param {import("./types.js").Item[]} items */
  #ring(items) {
    if (this.sound) chime();
    if (!this.desktop) return;
    for (const { id, title, body, url } of items.slice(-SHOWN)) {
      const shown = new Notification(title, { body, tag: `carillon-${id}` });
      shown.onclick = () => {
        focus();
        if (url) location.assign(url);
        shown.close();
      };
    }
  }
}
