/** `<live-progress>`: how far some work is, out of the notification that tells of it, with a button that cancels it. */

import { isLink } from "../dom.js";
import { make, page } from "./element.js";

/**
 * @typedef {object} Inbox what it needs of the bell's client
 * @property {import("../../feeds/types.js").PageConnection["ask"]} ask
 * @property {(type: "change" | "state", listener: () => void) => () => void} on
 * @property {() => () => void} hold
 * @property {{name: string}} state
 * @property {() => void} changed
 * @property {{urls: {inbox: string}}} config
 * @property {{items: readonly any[], resets: number, page: (page: any) => void}} [store] what this tab knows
 */

const LATEST = 20; // items in which the one that is asked for must be

export class LiveProgress extends HTMLElement {
  static observedAttributes = ["item"];

  #present = new AbortController();
  /** @type {Inbox | undefined} */
  #inbox;
  #id = 0;
  /** What was asked for already: it is not there, or comes by itself. */
  #asked = "";
  #title = make("span", { className: "title" });
  #bar = make("progress", { max: 100 });
  #text = make("span", { className: "text" });
  #cancel = make("button", { type: "button", onclick: () => this.#ask() });

  async connectedCallback() {
    const present = new AbortController();
    this.#present = present;
    const inbox = /** @type {Inbox | undefined} */ (await page.feeds?.page);
    if (present.signal.aborted || !inbox?.store) return; // without a bell nobody tells of it
    this.#inbox = inbox;
    for (const end of [inbox.hold(), inbox.on("change", () => this.#show()), inbox.on("state", () => this.#show())])
      present.signal.addEventListener("abort", end);
    this.#show();
  }

  disconnectedCallback() {
    this.#present.abort();
  }

  attributeChangedCallback() {
    this.#show();
  }

  #show() {
    const item = this.#find();
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

  /** The item that is named, or the newest whose work goes on, or else the newest. */
  #find() {
    const wanted = this.getAttribute("item");
    const known = this.#inbox?.store?.items.filter(({ data }) => data.progress) ?? [];
    const found =
      wanted === null
        ? (known.find(({ data }) => data.progress.state === "running") ?? known[0])
        : known.find(({ id }) => `${id}` === wanted);
    if (!found) this.#fetch(wanted);
    return found;
  }

  /** It came before this page, or a snapshot left it out: ask for it, once. @param {string | null} wanted */
  async #fetch(wanted) {
    const inbox = this.#inbox;
    const question = `${wanted} ${inbox?.store?.resets}`;
    if (!inbox?.store || question === this.#asked || this.#present.signal.aborted) return;
    this.#asked = question;
    const before = /^\d{1,15}$/.test(wanted ?? "") && `&before=${Number(wanted) + 1}`;
    const url = `${inbox.config.urls.inbox}?kind=progress&limit=${LATEST}${before || ""}`;
    const page = await inbox.ask(url).catch(() => undefined);
    if (!page)
      this.#asked = ""; // with the next change
    else if (question === `${wanted} ${inbox.store.resets}`) {
      inbox.store.page(page);
      inbox.changed();
    }
  }

  async #ask() {
    this.#cancel.disabled = true; // until the item says that it was cancelled
    const url = page.feeds?.config.urls.cancel.replace("{id}", `${this.#id}`) ?? "";
    await this.#inbox?.ask(url, {}).catch(() => {
      this.#cancel.disabled = false;
    });
  }
}
