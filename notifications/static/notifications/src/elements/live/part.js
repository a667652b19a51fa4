/**
 * `<live-part>`: what the server rendered, rendered anew by the server when a feed moves.
 *
 * The answer is markup of the site's own templates, as the page itself is. The browser parses it as it parses any document
 * that is fetched: no string becomes markup here, so every policy allows it, Trusted Types without any policy too, and
 * no script in it runs.
 */

import { Loader } from "../../feeds/loader.js";
import { LiveElement, page } from "./element.js";
import { morph } from "./morph.js";

const PATIENCE = 30_000; // ms for an answer, as for every request

const ENV = {
  now: Date.now,
  random: Math.random,
  setTimeout: (/** @type {() => void} */ callback, /** @type {number} */ time) => setTimeout(callback, time),
  clearTimeout: (/** @type {any} */ timer) => clearTimeout(timer),
};

export class LivePart extends LiveElement {
  /** @type {Loader | undefined} */
  #loader;
  /** @type {import("../../feeds/types.js").FeedStateName} */
  #told = "connecting";
  #request = new XMLHttpRequest();

  connectedCallback() {
    this.#loader ??= new Loader(
      ENV,
      this.getAttribute("cursor") ?? "",
      () => this.#load(),
      () => this.told(this.#told),
    );
    super.connectedCallback();
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this.#loader?.end();
    this.#loader = undefined;
    this.#request.abort();
  }

  /** @param {string} cursor */
  moved(cursor) {
    this.#loader?.moved(cursor);
  }

  /** @param {import("../../feeds/types.js").FeedStateName} state */
  told(state) {
    this.#told = state;
    const { gone, fresh } = this.#loader ?? {};
    super.told(gone ? "gone" : state === "live" && !fresh ? "stale" : state);
  }

  /** @returns {Promise<import("../../feeds/loader.js").Answer>} */
  #load() {
    const request = new XMLHttpRequest();
    this.#request = request;
    request.open("GET", this.getAttribute("src") ?? "");
    request.responseType = "document";
    request.timeout = PATIENCE;
    for (const [name, value] of [
      ["If-None-Match", this.getAttribute("etag")],
      ["Carillon-User", page.feeds?.config.user],
      ["Carillon-Language", page.feeds?.config.language],
    ]) {
      if (name && value) request.setRequestHeader(name, value);
    }
    request.send();
    return new Promise((resolve) => {
      request.onloadend = () => {
        const { status, response } = request;
        const cursor = request.getResponseHeader("Carillon-Cursor");
        // A 304 has no body, and where it says that it were HTML, browsers make an empty document of it.
        if (cursor) this.#swap(status === 304 ? null : response, cursor, request.getResponseHeader("ETag"));
        resolve({ status: cursor || status >= 400 ? status : 0, cursor }); // a proxy's page, and one that asks to sign in, have none
      };
    });
  }

  /** @param {Document | null} whole null where nothing has changed @param {string} cursor @param {string | null} etag */
  #swap(whole, cursor, etag) {
    this.setAttribute("cursor", cursor); // of what stands here, also in a copy that somebody keeps of it
    this.setAttribute("etag", etag ?? "");
    if (!whole) return;
    const content = new DocumentFragment();
    content.append(...whole.head.childNodes, ...whole.body.childNodes);
    morph(this, content);
    this.dispatchEvent(new CustomEvent("live-swap", { bubbles: true }));
  }
}
