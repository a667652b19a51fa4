/** Says what was done, and takes it back: for ten seconds, which wait while somebody is at it. */

import { button, h, iconButton } from "./dom.js";
import { icon } from "./feed-icons.js";

const STAY = 10_000; // ms

export class UndoBar {
  #owner;
  #rest = 0;
  #since = 0;
  #timer = 0;
  /** @type {(() => void) | undefined} */
  #back;
  root = h("div", { class: "undo", role: "group", hidden: true });

  /** @param {import("./notification-element.js").NotificationElement} owner */
  constructor(owner) {
    this.#owner = owner;
    for (const type of ["pointerenter", "focusin"]) this.root.addEventListener(type, () => this.#pause());
    for (const type of ["pointerleave", "focusout"]) this.root.addEventListener(type, () => this.#run());
  }

  /**
   * @param {string} message
   * @param {() => void} back
   * @param {string} [hint] for those who cannot see the button
   */
  offer(message, back, hint = "") {
    const owner = this.#owner;
    this.#back = back;
    this.root.ariaLabel = owner.text("undo");
    this.root.replaceChildren(
      h("span", {}, message),
      button("text", () => this.undo(), owner.text("undo")),
      iconButton(icon("close"), owner.text("dismiss"), () => this.close()),
    );
    this.root.hidden = false;
    this.#pause();
    this.#rest = STAY;
    this.#run();
    owner.announce(`${message} ${hint}`.trim());
  }

  /** Take it back, if it can be. */
  undo() {
    const back = this.#back;
    this.close();
    back?.();
  }

  /** @param {() => void} [offered] only what was offered with it */
  close(offered = this.#back) {
    if (offered !== this.#back) return;
    clearTimeout(this.#timer);
    const focused = this.root.matches(":focus-within");
    this.#back = undefined;
    this.root.hidden = true;
    this.root.replaceChildren();
    if (focused) /** @type {HTMLElement | null} */ (this.root.closest("[tabindex]"))?.focus({ preventScroll: true });
  }

  #pause() {
    clearTimeout(this.#timer);
    if (this.#since) this.#rest -= Date.now() - this.#since;
    this.#since = 0;
  }

  #run() {
    this.#pause();
    if (!this.#back || this.root.matches(":is(:hover, :focus-within)")) return;
    this.#since = Date.now();
    this.#timer = setTimeout(() => this.close(), Math.max(0, this.#rest));
  }
}
