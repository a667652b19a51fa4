/** A list on the screen whose rows keep their elements, and the reader's focus, while items come, change, move and go. */

const STEPS = /** @type {Record<string, number>} */ ({ ArrowDown: 1, ArrowUp: -1, Home: -Infinity, End: Infinity });

/**
 * Where the focus is: in which row, and which of its controls.
 *
 * @typedef {{key: unknown, index: number, control: number}} Focus
 */

/**
 * @template Item
 * @template {{element: HTMLElement}} Row
 */
export class KeyedList {
  #list;
  #parts;
  /** @type {Map<unknown, Row>} */
  #rows = new Map();

  /**
   * @param {HTMLElement} list
   * @param {object} parts
   * @param {(item: Item) => unknown} parts.key
   * @param {(item: Item, row?: Row) => Row} parts.draw bring the row up to date, or make another one
   */
  constructor(list, parts) {
    this.#list = list;
    this.#parts = parts;
    list.addEventListener("keydown", (event) => this.#move(event));
  }

  /** From top to bottom. */
  get rows() {
    return [...this.#rows.values()];
  }

  /**
   * Show these items, in their order.
   *
   * @param {readonly Item[]} items
   * @returns {Focus | undefined} where the focus was, if it was lost
   */
  render(items) {
    const { key, draw } = this.#parts;
    const focus = this.#focus();
    const before = this.#rows;
    this.#rows = new Map();
    for (const item of items) {
      const id = key(item);
      const known = before.get(id);
      const row = draw(item, known);
      before.delete(id);
      if (row !== known) known?.element.replaceWith(row.element);
      this.#rows.set(id, row);
    }
    for (const { element } of before.values()) element.remove();
    let next = this.#list.firstChild;
    for (const { element } of this.rows) {
      if (element === next) next = next.nextSibling;
      else place(this.#list, element, next);
    }
    return this.#focus() ? undefined : focus;
  }

  /** Focus the same control again, or else what has taken its place. @param {Focus} focus */
  restore({ key, index, control }) {
    const same = this.#rows.get(key)?.element;
    const place = same ?? this.#list.children[index] ?? this.#list.lastElementChild;
    const controls = place ? controlsOf(place) : [];
    (controls[same ? control : 0] ?? controls[0])?.focus();
  }

  /** @returns {Focus | undefined} */
  #focus() {
    const active = /** @type {HTMLElement | null} */ (
      /** @type {Document | ShadowRoot} */ (this.#list.getRootNode()).activeElement
    );
    const index = this.#indexOf(active);
    if (index < 0) return undefined;
    const [key, { element }] = [...this.#rows][index];
    return { key, index, control: controlsOf(element).indexOf(/** @type {HTMLElement} */ (active)) };
  }

  /** The arrow keys, Home and End lead from row to row. @param {KeyboardEvent} event */
  #move(event) {
    const { rows } = this;
    const step = STEPS[event.key];
    const here = this.#indexOf(/** @type {Node} */ (event.target));
    if (!step || here < 0 || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    controlsOf(rows[Math.max(0, Math.min(rows.length - 1, here + step))].element)[0].focus();
  }

  /** The row that a node is in. @param {Node | null | undefined} node */
  #indexOf(node) {
    return node ? this.rows.findIndex(({ element }) => element.contains(node)) : -1;
  }
}

/** Put a row where it belongs. Where the browser can, one that is moved keeps the focus. @param {HTMLElement} list @param {HTMLElement} row @param {Node | null} next */
function place(list, row, next) {
  if (row.parentNode === list && "moveBefore" in list) list.moveBefore(row, next);
  else list.insertBefore(row, next);
}

/** What can have the focus in a row: itself first, if it can. @param {Element} row @returns {HTMLElement[]} */
function controlsOf(row) {
  const all = /** @type {HTMLElement[]} */ ([row, ...row.querySelectorAll("a, button")]);
  return row.hasAttribute("tabindex") ? all : all.slice(1);
}
