/** `<live-progress>`: how far some work is, out of the notification that tells of it, with a button that cancels it. */

import { isLink } from "../dom.js";
import { make, page } from "./element.js";

/**
 * @typedef {object} Inbox what it needs of the bell's client
 * @property {import("../../feeds/types.js").PageConnection["ask"]} ask
 * @property {(type: "change" | "state", listener: () => void) => () => void} on
 * @property {() => () => void} hold
 * @property {{name: string}} state
 * @property {() => {items: readonly any[], load: () => Promise<void>}} [feed]
 */

export class LiveProgress extends HTMLElement {
  static observedAttributes = ["item"];

  #present = new AbortController();
  /** @type {Inbox | undefined} */
  #inbox;
  #id = 0;
  #title = make("span", { className: "title" });
  #bar = make("progress", { max: 100 });
  #text = make("span", { className: "text" });
  #cancel = make("button", { type: "button", onclick: () => this.#ask() });

  async connectedCallback() {
    const present = new AbortController();
    this.#present = present;
    const inbox = /** @type {Inbox | undefined} */ (await page.feeds?.page);
    if (present.signal.aborted || !inbox?.feed) return; // without a bell nobody tells of it
    this.#inbox = inbox;
    for (const end of [inbox.hold(), inbox.on("change", () => this.#show()), inbox.on("state", () => this.#show())])
      present.signal.addEventListener("abort", end);
    await inbox.feed().load();
    this.#show();
  }

  disconnectedCallback() {
    this.#present.abort();
  }

  attributeChangedCallback() {
    this.#show();
  }

  #show() {
    const wanted = this.getAttribute("item");
    const item = this.#inbox
      ?.feed?.()
      .items.find(({ id, data }) => data.progress && (wanted === null || `${id}` === wanted));
    const { state } = this.#inbox ?? {};
    if (!item || !state || this.#present.signal.aborted) return;
    const { percent, text, state: progress, cancellable } = item.data.progress;
    if (!this.#bar.isConnected) this.replaceChildren(this.#title, this.#bar, this.#text, this.#cancel);
    const words = page.feeds?.text(progress) ?? "";
    if (item.id !== this.#id) this.#cancel.disabled = false;
    this.#id = item.id;
    const linked = isLink(item.url);
    if (this.#title.textContent !== item.title || linked !== !!this.#title.firstElementChild)
      this.#title.replaceChildren(linked ? make("a", { href: item.url, textContent: item.title }) : item.title);
    if (percent === null) this.#bar.removeAttribute("value");
    else this.#bar.value = percent;
    this.#bar.ariaLabel = item.title;
    this.#text.textContent = progress === "running" ? text : [words, text].filter(Boolean).join(" · ");
    this.#cancel.textContent = page.feeds?.text("cancel") ?? "";
    this.#cancel.hidden = !cancellable;
    this.setAttribute("progress", progress);
    this.setAttribute("state", /live|polling/.test(state.name) ? "live" : "stale");
  }

  async #ask() {
    this.#cancel.disabled = true; // until the item says that it was cancelled
    const url = page.feeds?.config.urls.cancel.replace("{id}", `${this.#id}`) ?? "";
    await this.#inbox?.ask(url, {}).catch(() => {
      this.#cancel.disabled = false;
    });
  }
}
