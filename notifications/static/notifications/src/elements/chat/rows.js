/** The rows of the log: each message keeps its element; one of them is in the order of Tab, and the arrows lead on. */

import { h } from "../base.js";
import { MessageRow } from "./message.js";

/** @typedef {import("../../chat/types.js").Message} Message */
/** @typedef {import("../../chat/types.js").Entry} Entry */

export class Rows {
  /** @type {Map<string, MessageRow>} */
  #shown = new Map();

  list = h("ol", { role: "list", onkeydown: (/** @type {KeyboardEvent} */ event) => this.#move(event) });

  /** @param {import("./log.js").Log} log */
  constructor(log) {
    this.log = log;
    this.list.addEventListener("focusin", ({ target }) => this.#rove(/** @type {Node} */ (target)));
  }

  /** From top to bottom. */
  get all() {
    return [...this.#shown.values()];
  }

  clear() {
    this.#shown.clear();
    this.list.replaceChildren();
  }

  /**
   * @param {[Message | Entry, import("./message.js").Look][]} looks
   * @returns {boolean} whether the row that had the focus is gone
   */
  render(looks) {
    const before = this.#shown;
    this.#shown = new Map();
    for (const [message, look] of looks) {
      const row = before.get(look.key) ?? new MessageRow(this.log);
      before.delete(look.key);
      row.update(message, look);
      this.#shown.set(look.key, row);
    }
    const lost = [...before.values()].some(({ element }) => element.matches(":focus-within"));
    for (const { element } of before.values()) element.remove();
    let next = this.list.firstChild;
    for (const { element } of this.#shown.values()) {
      if (element === next) next = element.nextSibling;
      else this.list.insertBefore(element, next);
    }
    if (!this.list.matches(":focus-within")) this.#rove(this.list.lastChild);
    return lost;
  }

  /** @param {Node | null} target */
  #rove(target) {
    for (const row of this.#shown.values()) row.current = row.element.contains(target);
  }

  /** @param {KeyboardEvent} event */
  #move(event) {
    const rows = /** @type {HTMLElement[]} */ ([...this.list.children]);
    const here = rows.indexOf(/** @type {HTMLElement} */ (/** @type {Element} */ (event.target).closest("li")));
    const step = { ArrowDown: 1, ArrowUp: -1, Home: -Infinity, End: Infinity }[event.key];
    if (!step || here < 0 || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    rows[Math.max(0, Math.min(rows.length - 1, here + step))].focus();
  }
}
