/** What every element of Carillon does: it finds the page's client, holds it while connected, and renders. */

import { settled } from "../core/browser.js";
import { pageUser } from "../core/config.js";
import { numeral } from "../core/locale.js";
import { h } from "./dom.js";
import { sheet } from "./sheets.js";

/**
 * @typedef {object} Held what an element needs of its client
 * @property {() => () => void} hold
 * @property {() => void} retryNow
 * @property {{name: string}} state
 * @property {boolean} replaced
 * @property {(type: any, listener: (event: any) => void) => () => void} on
 * @property {(key: string) => string} text
 * @property {string | undefined} locale for numbers and times
 * @property {() => number} now epoch ms, by the server's clock
 * @property {{urls: {baseStyle: string}}} config
 */

const ANNOUNCE_AFTER = 250; // ms; what happens within it is read out as one message

/** @template {Held} Client */
export class CarillonElement extends HTMLElement {
  /** @type {Client} the page's client; set when the element is connected */
  client = /** @type {any} */ (null);

  #present = new AbortController();

  /** @type {string[]} */
  #messages = [];

  #region = h("div", { class: "hidden", "aria-live": "polite" });
  /** The content of the shadow tree. @type {Node[] | undefined} */
  #nodes;
  #held = false;

  connectedCallback() {
    const client = this.#mine();
    if (!client) return; // nobody is signed in: what stands inside the element stays as it is
    this.client = client;
    this.toggleAttribute("admin", "adminUtcOffset" in document.body.dataset);
    this.#nodes ??= this.build();
    this.#show(this.#nodes);
    this.#present = new AbortController();
    this.#present.signal.addEventListener("abort", client.hold());
    this.#held = true;
    this.on("change", () => (client.replaced ? this.#again() : this.render()));
    this.listen(this.#present.signal);
    this.render();
  }

  disconnectedCallback() {
    this.#held = false;
    this.#present.abort();
  }

  connectedMoveCallback() {} // moveBefore() then keeps the element's state, an open panel too

  /**
   * Return the page's client.
   * @returns {Client | null} null where nobody is signed in
   */
  find() {
    return null;
  }

  /** Fetch what `find()` lacks. @returns {Promise<boolean>} whether it may find a client now */
  async prepare() {
    return false;
  }

  /** The client of the user that the element was rendered for. @returns {Client | null} */
  #mine() {
    const user = this.getAttribute("user");
    if (user && user !== pageUser()) return null;
    const client = this.find();
    if (!client) {
      this.prepare().then((ready) => ready && this.isConnected && !this.#held && this.connectedCallback());
    } else if (user && client.state.name === "signed-out") client.retryNow(); // rendered anew: in again
    return client;
  }

  /** Another user signed in: begin anew, for them. */
  #again() {
    this.disconnectedCallback();
    this.connectedCallback();
  }

  /** The address of the element's own style sheet, beside the one that all share. @returns {string} */
  get sheet() {
    return "";
  }

  /**
   * Return the content of the shadow tree, with its texts; called once.
   * @returns {Node[]}
   */
  build() {
    return [];
  }

  /**
   * Listen to what the element needs beside `change`, until it is taken out of the page.
   * @param {AbortSignal} signal
   */
  listen(signal) {
    void signal;
  }

  /**
   * Listen to the client for as long as the element is in the page.
   * @param {string} type
   * @param {(event: any) => void} listener
   */
  on(type, listener) {
    this.#present.signal.addEventListener("abort", this.client.on(type, listener));
  }

  /** Show the present state; called for every change. */
  render() {}

  /**
   * Return a text in the page's language, with `{name}` filled in.
   * @param {string} key of notifications/strings.py
   * @param {Record<string, string | number>} [values] numbers are written as the language writes them
   */
  text(key, values = {}) {
    return this.client.text(key).replace(/{(\w+)}/g, (_, name) => this.#write(values[name]));
  }

  /** Write a number, or leave a text as it is. @param {string | number} value */
  #write(value) {
    return typeof value === "number" ? numeral(value, this.client.locale) : value;
  }

  /**
   * Have `message` read out. The region is there from the start: one that is added with its text stays silent.
   * @param {string} message
   */
  announce(message) {
    if (this.#messages.push(message) > 1) return;
    this.#region.textContent = "";
    setTimeout(() => (this.#region.textContent = this.#messages.splice(0).join(" · ")), ANNOUNCE_AFTER);
  }

  /**
   * Attach the shadow tree once it has its style; until then, and if that fails, the element shows what it contains.
   * @param {Node[]} nodes
   */
  async #show(nodes) {
    if (this.shadowRoot) return;
    const styles = await settled(() => Promise.all([this.client.config.urls.baseStyle, this.sheet].map(sheet)));
    if (!styles || this.shadowRoot) return; // where it failed, the next connect tries again
    const root = this.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = styles;
    root.append(...nodes, this.#region);
  }
}
