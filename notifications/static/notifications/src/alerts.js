/** Sound, desktop notification and app badge: asked for by the user, given by the leading tab when people look at no tab. */

const KEY = "carillon-alerts"; // in localStorage, by user

export class Alerts {
  #key;
  #storage;

  /** @param {import("./types.js").Config} config @param {import("./env.js").Env} env */
  constructor({ user }, { storage }) {
    this.#key = `${KEY} ${user}`;
    this.#storage = storage;
  }

  get #wanted() {
    return (this.#storage?.getItem(this.#key) ?? "").split(" ");
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

  /** @param {string} name @param {boolean} on */
  #set(name, on) {
    const rest = this.#wanted.filter((other) => other && other !== name);
    this.#storage?.setItem(this.#key, [...rest, ...(on ? [name] : [])].join(" "));
  }

  /** @param {import("./types.js").Item[]} items */
  ring(items) {
    if (this.sound) chime();
    if (!this.desktop) return;
    for (const { id, title, body, url } of items.slice(-3)) {
      const shown = new Notification(title, { body, tag: `carillon-${id}` });
      shown.onclick = () => {
        focus();
        if (url) location.assign(url);
        shown.close();
      };
    }
  }
}

/** @param {number} count */
export function appBadge(count) {
  globalThis.navigator?.setAppBadge?.(count).catch(() => {}); // an ornament: a browser may refuse it
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
