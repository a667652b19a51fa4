/** Which of a list's items have rows: some hundred at most, for more would make every change slow. Pure; tested without a browser. */

const MOST = 100; // rows
const STEP = 20; // more rows at a time, as a page of the API has

/** @template {{id: number}} Item */
export class RowWindow {
  /** The newest that has a row. */
  #first = Infinity;
  #size = MOST / 2;

  /** Begin with the newest. */
  reset() {
    this.#first = Infinity;
    this.#size = MOST / 2;
  }

  /** Where the rows begin and end. @param {readonly Item[]} items newest first @returns {[number, number]} */
  range(items) {
    const found = items.findIndex(({ id }) => id <= this.#first);
    const start = Math.max(0, found);
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
    this.#first = start ? items[start].id : Infinity;
    this.#size = Math.max(MOST / 2, end - start);
  }
}
