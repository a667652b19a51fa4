/** The rows of the log: one of them is in the order of Tab, and the arrows lead on. */

import { KeyedList } from "../../core/keyed-list.js";
import { h } from "../dom.js";
import { MessageRow } from "./message-row.js";

/** @typedef {import("../../chat/types.js").Message} Message */
/** @typedef {import("../../chat/types.js").Entry} Entry */
/** @typedef {[Message | Entry, import("./row-states.js").RowState]} Shown */

export class Rows {
  /** @type {KeyedList<Shown, MessageRow>} */
  #rows;

  list = h("ol", { role: "list" });

  /** @param {import("./log.js").Log} log */
  constructor(log) {
    this.#rows = new KeyedList(this.list, {
      key: ([, { key }]) => key,
      draw: ([message, state], row = new MessageRow(log)) => {
        row.update(message, state);
        return row;
      },
    });
    this.list.addEventListener("focusin", ({ target }) => this.#setTabStop(/** @type {Node} */ (target)));
  }

  /** From top to bottom. */
  get all() {
    return this.#rows.rows;
  }

  clear() {
    this.#rows.render([]);
  }

  /**
   * @param {Shown[]} shown
   * @returns {boolean} whether the row that had the focus is gone
   */
  render(shown) {
    const lost = this.#rows.render(shown);
    if (!this.list.matches(":focus-within")) this.#setTabStop(this.list.lastChild);
    return lost !== undefined;
  }

  /** @param {Node | null} target */
  #setTabStop(target) {
    for (const row of this.all) row.current = row.element.contains(target);
  }
}
