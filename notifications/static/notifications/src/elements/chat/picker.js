/** The choice of reactions, in a popover beside the message. */

import { float } from "../../core/browser.js";
import { button, h } from "../dom.js";

const EMOJI = ["👍", "❤️", "😂", "🎉", "😮", "😢", "🙏", "🔔"];
const MARGIN = 8; // px between it and the edges of the window

export class Picker {
  /** @type {(emoji: string) => void} */
  #chosen = () => {};

  root = h("div", {
    class: "picker",
    popover: "auto",
    role: "group",
    onkeydown: (/** @type {KeyboardEvent} */ event) => this.#move(event),
  });

  /** @param {import("./room.js").ChatRoom} owner */
  constructor(owner) {
    this.owner = owner;
    this.root.addEventListener("toggle", (event) => {
      if (/** @type {ToggleEvent} */ (event).newState === "open")
        /** @type {HTMLElement} */ (this.root.firstElementChild).focus();
    });
  }

  build() {
    this.close();
    this.root.ariaLabel = this.owner.text("react");
    this.root.append(
      ...EMOJI.map((emoji) =>
        button(
          "emoji",
          () => {
            this.close();
            this.#chosen(emoji);
          },
          emoji,
        ),
      ),
    );
  }

  close() {
    float(this.root, false);
  }

  /**
   * Show it above the message, inside the window.
   * @param {HTMLElement} row
   * @param {(emoji: string) => void} chosen
   */
  offer(row, chosen) {
    this.#chosen = chosen;
    float(this.root, true);
    const from = (row.querySelector(".tools button") ?? row).getBoundingClientRect();
    const { width, height } = this.root.getBoundingClientRect();
    const left = from.left + from.width / 2 - width / 2;
    const above = from.top - height - MARGIN;
    this.root.style.left = `${Math.max(MARGIN, Math.min(left, document.documentElement.clientWidth - width - MARGIN))}px`;
    this.root.style.top = `${above < MARGIN ? from.bottom + MARGIN : above}px`;
  }

  /** @param {KeyboardEvent} event */
  #move(event) {
    const all = /** @type {HTMLElement[]} */ ([...this.root.children]);
    const here = all.indexOf(/** @type {HTMLElement} */ (event.target));
    const forward = getComputedStyle(this.root).direction === "rtl" ? "ArrowLeft" : "ArrowRight";
    const step = event.key === forward ? 1 : /^Arrow(Left|Right)$/.test(event.key) ? -1 : 0;
    if (!step) return;
    event.preventDefault();
    all[(here + step + all.length) % all.length].focus();
  }
}
