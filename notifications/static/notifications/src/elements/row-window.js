/** Which of a list's items have rows: some hundred at most, for more would make every change slow. Pure; tested without a browser. */

import { newestFirst } from "../inbox/states.js";

const MOST = 100; // rows
const STEP = 20; // more rows at a time, as a page of the API has

/** @template {{id: number, rank: number}} Item */
export class RowWindow {
  /** The newest that has a row; null if it is the first one. @type {Item | null} */
  #first = null;
  #size = MOST / 2;

  /** Begin with the newest. */
  reset() {
    this.#first = null;
    this.#size = MOST / 2;
  }

  /** Where the rows begin and end. @param {readonly Item[]} items newest first @returns {[number, number]} */
  range(items) {
    const first = this.#first;
    const start = first
      ? Math.max(
          0,
          items.findIndex((item) => newestFirst(item, first) >= 0),
        )
      : 0;
    return [start, Math.min(items.length, start + this.#size)];
  }

  /** Let older ones in; at the other end those go that are too many. @param {readonly Item[]} items */
  older(items) {
    const [start, end] = this.range(items);
    const last = Math.min(items.length, end + STEP);
    this.#begin(items, Math.max(start, last - MOST), last);
  }

  /** Let newer ones in. @param {readonly Item[]} items */
  newer(items) {
    const start = Math.max(0, this.range(items)[0] - STEP);
    this.#begin(items, start, start + MOST);
  }

  /** @param {readonly Item[]} items @param {number} start @param {number} end */
  #begin(items, start, end) {
    this.#first = start ? items[start] : null;
    this.#size = Math.max(MOST / 2, end - start);
  }
}
