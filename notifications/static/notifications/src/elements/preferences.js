/**
 * `<notification-preferences>`: the server's form, which saves each choice at once, and follows what other tabs choose.
 *
 * The form stays the server's own, so that it is there before the script, and whole without it.
 */

import { pageClient } from "../inbox/page.js";

/** @typedef {{value: string}} Choice */
/** @typedef {{kind: string, channels: Record<string, Choice>}} Kind */
/** @typedef {{category: string, channels: Record<string, Choice> | null, kinds: Kind[]}} Category */
/** @typedef {HTMLInputElement | HTMLSelectElement} Control */

const CONTROLS = "input[type=checkbox], select";

export class NotificationPreferences extends HTMLElement {
  /** How many choices of each control are on their way. @type {Map<string, number>} */
  #pending = new Map();
  /** One request after the other, as they were chosen. @type {Promise<unknown>} */
  #turn = Promise.resolve();
  /** @type {AbortController | undefined} */
  #present;
  #asked = 0;

  async connectedCallback() {
    const present = new AbortController();
    this.#present = present;
    const page = await pageClient();
    if (!page || present.signal.aborted) return;
    const { signal } = present;
    const save = this.querySelector("form > button");
    if (save) /** @type {HTMLElement} */ (save).hidden = true;
    this.addEventListener("change", (event) => this.#choose(page, /** @type {any} */ (event.target)), { signal });
    const ends = [page.client.hold(this), page.on("preferences", () => this.#refresh(page))];
    ends.push(page.client.on("state", ({ from, to }) => /live|polling/.test(to) && from !== to && this.#refresh(page)));
    signal.addEventListener("abort", () => ends.forEach((end) => void end()));
  }

  disconnectedCallback() {
    this.#present?.abort();
  }

  /** @param {import("../inbox/page.js").Page} page @param {Control} control */
  async #choose(page, control) {
    if (!control.matches(CONTROLS)) return;
    const { name } = control;
    const [channel, ...rest] = name.split(" ");
    const [subject, ...about] = rest.join(" ").split(":");
    const body = { channel, value: read(control), [subject]: about.join(":") };
    this.#pending.set(name, (this.#pending.get(name) ?? 0) + 1);
    this.#say("");
    const sent = this.#turn.then(() => page.client.ask(page.urls.preferences, body));
    this.#turn = sent.catch(() => {});
    const [answer, error] = await sent.then(
      (found) => [found, null],
      (problem) => [null, problem],
    );
    const left = (this.#pending.get(name) ?? 1) - 1;
    if (left) this.#pending.set(name, left);
    else this.#pending.delete(name);
    this.#asked++;
    if (answer) return this.#show(answer);
    this.#say(page.client.explain("couldNotSave", error));
    this.#restore(control);
    this.#refresh(page); // also what it was based on may be of the past
  }

  /** Ask what holds now. @param {import("../inbox/page.js").Page} page */
  async #refresh(page) {
    const asked = ++this.#asked;
    const found = await page.client.ask(page.urls.preferences).catch(() => null);
    if (found && asked === this.#asked) this.#show(found); // what was saved meanwhile is newer
  }

  /** Show what holds, but for what is on its way. @param {{categories: Category[]}} found */
  #show({ categories }) {
    for (const { category, channels, kinds } of categories) {
      if (channels) this.#write(`category:${category}`, channels);
      for (const { kind, channels } of kinds) this.#write(`kind:${kind}`, channels);
    }
  }

  /** @param {string} scope @param {Record<string, Choice>} channels */
  #write(scope, channels) {
    for (const [channel, { value }] of Object.entries(channels)) {
      const name = `${channel} ${scope}`;
      const control = /** @type {Control | null} */ (this.querySelector(`[name="${CSS.escape(name)}"]`));
      if (!control || this.#pending.has(name)) continue;
      if (control instanceof HTMLSelectElement) control.value = value;
      else control.checked = value === "on";
      control.dataset.held = value;
    }
  }

  /** It was refused, or nobody was reached: show what held before. @param {Control} control */
  #restore(control) {
    const { held } = control.dataset;
    if (control instanceof HTMLSelectElement) {
      control.value = held ?? [...control.options].find(({ defaultSelected }) => defaultSelected)?.value ?? "off";
    } else control.checked = held ? held === "on" : control.defaultChecked;
  }

  /** @param {string} message */
  #say(message) {
    const region = this.querySelector("[role=alert]");
    if (region) region.textContent = message;
  }
}

/** @param {Control} control */
function read(control) {
  if (control instanceof HTMLSelectElement) return control.value;
  return control.checked ? "on" : "off";
}
