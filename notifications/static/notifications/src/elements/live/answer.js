/** `<live-answer>`: a text that grows, with a button that stops its writer. */

import { LiveElement, make, page } from "./element.js";

/** @typedef {import("../../feeds/types.js").FeedEvent} FeedEvent */

export class LiveAnswer extends LiveElement {
  #id = 0;
  #text = document.createTextNode("");
  // Read out once it is whole: nobody can follow a text that is read out word by word.
  #region = make("div", { className: "text", ariaLive: "polite" });
  #note = make("p", { className: "note" });
  #stop = make("button", { type: "button", onclick: () => this.#ask() });

  /** @param {FeedEvent} event */
  show({ id, event, data, append }) {
    const wanted = this.getAttribute("event") ?? "";
    if (typeof data.text !== "string" || !["", event, `${id}`].includes(wanted) || id < this.#id) return;
    if (!this.#region.isConnected || id !== this.#id) {
      this.#text = document.createTextNode("");
      this.#region.replaceChildren(this.#text);
      this.#stop.textContent = page.feeds?.text("stop") ?? "";
      this.replaceChildren(this.#region, this.#note, this.#stop);
    }
    const whole = this.#id === id && append !== undefined && this.#text.length + append.length === data.text.length;
    const writing = data.state === "writing";
    this.#id = id;
    this.#region.ariaBusy = `${writing}`;
    if (whole) this.#text.appendData(append);
    else this.#text.data = data.text;
    this.#note.textContent = data.error || (data.state === "stopped" ? (page.feeds?.text("stopped") ?? "") : "");
    this.#stop.hidden = !writing || this.hasAttribute("nostop");
    this.#stop.disabled = false;
    this.setAttribute("answer", data.state);
  }

  async #ask() {
    this.#stop.disabled = true; // until the text says that it was stopped
    try {
      await page.feeds?.stop(this.#id);
    } catch {
      this.#stop.disabled = false;
    }
  }
}
