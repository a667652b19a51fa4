/**
 * `<notification-push>`: the server's list of devices, with a button that turns pushes on in this browser.
 *
 * Nothing is asked before the button is pressed. The list is the server's own, and whole without the script.
 */

import { settled } from "../core/browser.js";
import { pushApi } from "../core/push-api.js";
import { pageClient } from "../inbox/page.js";
import { existing, obstacle, subscribe } from "../push/subscription.js";

/** @typedef {{id: number, name: string, told: string, here: boolean}} Device */
/** @typedef {{devices: Device[], here: number | null}} Known */
/** @typedef {import("../inbox/page.js").Page} Page */

export class NotificationPush extends HTMLElement {
  /** @type {AbortController | undefined} */
  #present;
  #api = pushApi();
  #turn = Promise.resolve();

  async connectedCallback() {
    const present = new AbortController();
    this.#present = present;
    const page = await pageClient();
    const { signal } = present;
    if (!page || signal.aborted) return;
    const look = () => this.#queue(() => this.#look(page));
    for (const button of /** @type {NodeListOf<HTMLElement>} */ (this.querySelectorAll("[data-do]"))) {
      const act = button.dataset.do === "on" ? () => this.#start(page) : () => this.#end(page);
      button.addEventListener("click", () => this.#queue(act), { signal });
    }
    const ends = [page.client.hold(this), page.on("preferences", look)];
    ends.push(page.client.on("state", ({ from, to }) => /live|polling/.test(to) && from !== to && look()));
    signal.addEventListener("abort", () => ends.forEach((end) => void end()));
    look();
  }

  disconnectedCallback() {
    this.#present?.abort();
  }

  /** One after the other: two at once would take each other's subscription for none. @param {() => Promise<void>} act */
  #queue(act) {
    this.#turn = this.#turn.then(act).catch(() => this.#say("error"));
  }

  /** @param {string} name */
  #attribute(name) {
    return this.getAttribute(name) ?? "";
  }

  /** Show what holds. @param {Page} page */
  async #look(page) {
    const { client } = page;
    const blocked = obstacle(this.#api);
    const found = blocked ? undefined : await existing(this.#api, this.#attribute("scope"), this.#attribute("key"));
    const url = this.#attribute("url");
    /** @type {Known} */
    const known = found ? await client.ask(url, { endpoint: found.endpoint }) : await client.ask(url);
    // It was removed elsewhere, or is somebody else's: what is under way to it is not to be shown either.
    if (found && known.here === null) await settled(() => found.unsubscribe());
    this.#show(known);
    this.#say(blocked || (found && known.here !== null ? "on" : "off"));
  }

  /** @param {Page} page */
  async #start({ client }) {
    this.#say("busy");
    const made = await subscribe(this.#api, this.#attribute("scope"), this.#attribute("key")).catch(() => undefined);
    if (!made) return this.#say(obstacle(this.#api) || "error");
    const { endpoint, keys } = made.toJSON();
    try {
      this.#show(await client.ask(this.#attribute("url"), { endpoint, keys }));
      this.#say("on");
    } catch (error) {
      await settled(() => made.unsubscribe()); // else it would look on, and nothing would come
      throw error;
    }
  }

  /** @param {Page} page */
  async #end({ client }) {
    this.#say("busy");
    const found = await existing(this.#api, this.#attribute("scope"), this.#attribute("key"));
    await settled(() => found?.unsubscribe());
    const here = this.querySelector("li[data-here] [name=device]");
    if (here) {
      const device = /** @type {HTMLInputElement} */ (here).value;
      this.#show(await client.ask(`${this.#attribute("url")}remove/`, { device }));
    }
    this.#say("off");
  }

  /** @param {Known} known */
  #show({ devices }) {
    const list = this.querySelector("ul");
    const template = /** @type {HTMLTemplateElement | null} */ (this.querySelector("template"));
    if (!list || !template) return;
    list.replaceChildren(
      ...devices.map(({ id, name, told, here }) => {
        const row = /** @type {DocumentFragment} */ (template.content.cloneNode(true));
        const part = (/** @type {string} */ selector) => /** @type {any} */ (row.querySelector(selector));
        part("bdi").textContent = name;
        part("small").textContent = told;
        part("[name=device]").value = id;
        part("button").setAttribute("aria-label", `${part("button").textContent}: ${name}`);
        part("[data-mark]").hidden = !here;
        part("li").toggleAttribute("data-here", here);
        return row;
      }),
    );
  }

  /** @param {string} state */
  #say(state) {
    this.setAttribute("state", state);
    for (const text of /** @type {NodeListOf<HTMLElement>} */ (this.querySelectorAll("[data-when]")))
      text.hidden = !text.dataset.when?.split(" ").includes(state);
  }
}
