/**
 * Optimistic updates: what the user does shows at once, and is taken back if the server refuses it.
 *
 * An update lies on top of the server's items. Once it is confirmed, it ends for each item when the server's own, newer
 * version comes; the answer and that version may come in either order.
 */

/**
 * @template Item
 * @typedef {object} Update
 * @property {(item: Item) => Item} show the item as the user wants it
 * @property {boolean} settled the server confirmed it
 */

/**
 * @template Item
 * @typedef {object} Entry what lies on one item
 * @property {Map<Update<Item>, number>} updates each with the version that it was made on
 * @property {Item} [item] as the server has it
 * @property {Item} [view] as the user wants it
 */

/** @template {{version: number}} Item */
export class OptimisticUpdates {
  #key;
  /** By key. @type {Map<unknown, Entry<Item>>} */
  #entries = new Map();

  /** @param {keyof Item} key the property that tells one item from another */
  constructor(key) {
    this.#key = key;
  }

  /**
   * Show items in another way from now on.
   *
   * @param {Item[]} items
   * @param {(item: Item) => Item} show returns the same object where it changes nothing
   * @returns {Update<Item>}
   */
  add(items, show) {
    const update = { show, settled: false };
    for (const item of items) this.#put(item, update);
    return update;
  }

  /** The server confirmed it. @param {Update<Item>} update */
  settle(update) {
    update.settled = true;
    for (const entry of this.#entries.values()) if (entry.updates.has(update)) entry.item = undefined;
  }

  /** The server refused it, or was not reached. @param {Update<Item>} update */
  cancel(update) {
    for (const entry of this.#entries.values()) if (entry.updates.delete(update)) entry.item = undefined;
  }

  /** A snapshot replaced everything: what is not confirmed goes on, on top of these. @param {Item[]} items */
  rebase(items) {
    const before = this.#entries;
    this.#entries = new Map();
    for (const item of items) {
      const { updates = [] } = before.get(item[this.#key]) ?? {};
      for (const [update] of updates) if (!update.settled) this.#put(item, update);
    }
  }

  /**
   * The item as the user wants it: the same object for the same item, as long as nothing changes.
   *
   * @param {Item} item as the server has it
   * @returns {Item}
   */
  view(item) {
    const entry = this.#entries.get(item[this.#key]);
    if (!entry) return item;
    const { updates } = entry;
    if (entry.item !== item) {
      let view = item;
      let open = false;
      for (const [update, version] of updates) {
        if (update.settled && item.version > version) updates.delete(update);
        else {
          view = update.show(view);
          open ||= !update.settled;
        }
      }
      entry.item = item;
      // What is confirmed and changes nothing ends: no newer version may ever come.
      entry.view = open || view !== item ? Object.freeze({ ...view, pending: true }) : item;
      if (entry.view === item) this.#entries.delete(item[this.#key]);
    }
    return /** @type {Item} */ (entry.view);
  }

  /** @param {Item} item @param {Update<Item>} update */
  #put(item, update) {
    const updates = this.#entries.get(item[this.#key])?.updates ?? new Map();
    this.#entries.set(item[this.#key], { updates: updates.set(update, item.version) });
  }
}

/**
 * Ask the server for what is shown already.
 *
 * @param {() => Promise<any>} request
 * @param {object} parts
 * @param {() => void} parts.settle
 * @param {(error: any) => void} parts.cancel
 * @param {() => void} parts.changed
 * @returns {Promise<boolean>} whether the server confirmed it
 */
export async function confirmUpdate(request, { settle, cancel, changed }) {
  changed();
  try {
    await request();
    settle();
    return true;
  } catch (error) {
    cancel(error);
    return false;
  } finally {
    changed();
  }
}
