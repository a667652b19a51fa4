/** What every element of Carillon does: it finds the page's client, holds it while connected, and renders. */

/**
 * @typedef {object} Held what an element needs of its client
 * @property {() => () => void} hold
 * @property {(type: string, listener: (event: any) => void) => () => void} on
 * @property {(key: string, fallback: string) => string} text
 * @property {Readonly<import("../inbox/types.js").Config>} config
 */

const ANNOUNCE_AFTER = 250; // ms; what happens within it is read out as one message

/** @type {Map<string, Promise<CSSStyleSheet>>} by address, for all elements; policies allow a constructed one, not `<style>` */
const styles = new Map();

/** @template {Held} Client */
export class CarillonElement extends HTMLElement {
  /** @type {Client} the page's client; set when the element is connected */
  client = /** @type {any} */ (null);

  #present = new AbortController();

  /** @type {string[]} */
  #messages = [];

  #region = h("div", { class: "hidden", "aria-live": "polite" });
  #built = false;

  connectedCallback() {
    const client = this.find();
    if (!client) return; // nobody is signed in: what stands inside the element stays as it is
    this.client = client;
    this.toggleAttribute("admin", "adminUtcOffset" in document.body.dataset);
    if (!this.#built) this.#show(this.build());
    this.#built = true;
    this.#present = new AbortController();
    this.#present.signal.addEventListener("abort", client.hold());
    this.on("change", () => this.render());
    this.listen(this.#present.signal);
    this.render();
  }

  disconnectedCallback() {
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

  /** The address of the style sheet. @returns {string} */
  get sheet() {
    return /** @type {any} */ (this.client.config.urls).style;
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
    return this.client.text(key, key).replace(/{(\w+)}/g, (_, name) => values[name].toLocaleString(this.language));
  }

  get language() {
    return this.client.config.language ?? "en";
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
    const style = await sheet(this.sheet);
    const root = this.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [style];
    root.append(...nodes, this.#region);
  }
}

/** @param {string} address */
function sheet(address) {
  const found = styles.get(address) ??
    fetch(address).then((response) => (response.ok ? response.text() : Promise.reject(new Error(address))))
      .then((text) => new CSSStyleSheet().replace(text));
  styles.set(address, found);
  return found;
}

/**
 * Make an element. Strings become text, never markup; functions become listeners; false, null and undefined are left out.
 * Its classes are its parts too; docs/reference/elements.md says which of them will stay.
 * @param {string} name
 * @param {Record<string, any>} [attributes]
 * @param {...(Node | string | null)} children
 */
export function h(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(key.slice(2), value);
    else if (value || value === 0) element.setAttribute(key, value === true ? "" : value);
    if (key === "class") element.setAttribute("part", value);
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

/**
 * Make a button.
 * @param {string} look the classes
 * @param {(() => void) | null} onclick
 * @param {Node | string} [content]
 * @param {Record<string, any>} [attributes]
 */
export function button(look, onclick, content = "", attributes = {}) {
  return h("button", { type: "button", class: look, onclick, ...attributes }, content);
}

/**
 * Make what a click follows: a real link where there is an address, so that the middle button works too.
 * @param {string} url the server lets only http(s) and paths in; a second lock costs little
 * @param {() => void} act what happens beside; not at the right button, which opens a menu
 * @param {...(Node | string | null)} children
 */
export function link(url, act, ...children) {
  const href = /^(https?:|[/?#])/i.test(url) && url;
  const onauxclick = (/** @type {MouseEvent} */ { button }) => button > 1 || act();
  return h(href ? "a" : "button", { class: "main", href, onclick: act, onauxclick }, ...children);
}

/**
 * Make a line of somebody's words: it keeps its own direction, and stands where the page's language begins.
 * @param {string} look
 * @param {string} words
 */
export function text(look, words) {
  return h("span", { class: look }, h("bdi", {}, words));
}
