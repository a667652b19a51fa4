/** Sound, desktop notification and app badge: asked for by the user, given by the leading tab when people look at no tab. */

/** @typedef {import("./client.js").Client} Client */

const SHOWN = 3; // desktop notifications at once; the rest is in the bell

export class Alerts {
  #key;

  /** @param {Client} client */
  constructor(client) {
    const { locks, document } = client.env;
    this.#key = `carillon-alerts ${client.config.user}`;
    const presence = new Presence(locks, this.#key);
    const look = () => presence.set(document?.visibilityState !== "hidden");
    look();
    document?.addEventListener("visibilitychange", look);
    client.env.window?.addEventListener("pagehide", () => presence.set(false)); // the back/forward cache keeps locks
    client.env.window?.addEventListener("pageshow", look);
    client.on("notification", async ({ items }) => {
      if (client.leading && !(await presence.anyone())) this.#ring(items);
    });
    client.on("change", () => {
      if (client.leading) globalThis.navigator?.setAppBadge?.(client.counts.unseen).catch(() => {}); // an ornament; browsers may refuse
    });
  }

  get sound() {
    return this.#wanted.includes("sound");
  }

  get desktop() {
    return this.#wanted.includes("desktop") && globalThis.Notification?.permission === "granted";
  }

  /** @param {boolean} on */
  setSound(on) {
    this.#set("sound", on);
    if (on) chime();
  }

  /** Must come from a click: the browser asks for permission. @param {boolean} on @returns {Promise<boolean>} whether it is on now */
  async setDesktop(on) {
    this.#set("desktop", on && (await globalThis.Notification?.requestPermission()) === "granted");
    return this.desktop;
  }

  get #wanted() {
    try {
      return (localStorage.getItem(this.#key) ?? "").split(" ");
    } catch {
      return []; // private modes and sandboxed frames have no storage
    }
  }

  /** @param {string} name @param {boolean} on */
  #set(name, on) {
    const others = this.#wanted.filter((other) => other && other !== name);
    try {
      localStorage.setItem(this.#key, [...others, ...(on ? [name] : [])].join(" "));
    } catch {
      // as above: the choice holds for nothing but is not refused either
    }
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

/** Whether people look at any tab: each visible one shares a lock, which not even a crash leaves behind. */
class Presence {
  #visible = false;
  /** @type {((value?: any) => void) | undefined} */
  #leave;

  /** @param {LockManager | undefined} locks @param {string} name */
  constructor(locks, name) {
    this.locks = locks;
    this.name = name;
  }

  /** @param {boolean} visible */
  set(visible) {
    if (visible === this.#visible) return;
    this.#visible = visible;
    this.#leave?.();
    if (!visible) return;
    const held = new Promise((resolve) => (this.#leave = resolve));
    this.locks?.request(this.name, { mode: "shared" }, () => held).catch(() => {});
  }

  async anyone() {
    if (this.#visible || !this.locks) return this.#visible;
    const { held } = await this.locks.query();
    return !!held?.some(({ name }) => name === this.name);
  }
}

/** Two bells, made here: a sound file would be one more request and one more content security rule. */
function chime() {
  if (!globalThis.AudioContext) return;
  const audio = new AudioContext();
  [880, 1320].forEach((pitch, index) => {
    const [tone, gain] = [audio.createOscillator(), audio.createGain()];
    const start = audio.currentTime + index * 0.15;
    tone.frequency.value = pitch;
    gain.gain.setValueAtTime(0.15, start);
    gain.gain.exponentialRampToValueAtTime(0.001, start + 0.8);
    tone.connect(gain).connect(audio.destination);
    tone.start(start);
    tone.stop(start + 0.8);
    if (index) tone.onended = () => audio.close();
  });
}
