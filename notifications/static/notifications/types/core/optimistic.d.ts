/**
 * Optimistic updates: what the user does shows at once, and is taken back if the server refuses it.
 *
 * An update lies on top of the server's items. Once it is confirmed, it ends for each item when the server's own, newer
 * version comes; the answer and that version may come in either order.
 */
export type Update<Item> = {
    /**
     * the item as the user wants it
     */
    show: (item: Item) => Item;
    /**
     * the server confirmed it
     */
    settled: boolean;
};
export type Entry<Item> = {
    /**
     * each with the version that it was made on
     */
    updates: Map<Update<Item>, number>;
    /**
     * as the server has it
     */
    item?: Item;
    /**
     * as the user wants it
     */
    view?: Item;
};
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
export declare class OptimisticUpdates<Item extends {
    version: number;
}> {
    #private;
    /** @param {keyof Item} key the property that tells one item from another */
    constructor(key: keyof Item);
    /**
     * Show items in another way from now on.
     *
     * @param {Item[]} items
     * @param {(item: Item) => Item} show returns the same object where it changes nothing
     * @returns {Update<Item>}
     */
    add(items: Item[], show: (item: Item) => Item): Update<Item>;
    /** The server confirmed it. @param {Update<Item>} update */
    settle(update: Update<Item>): void;
    /** The server refused it, or was not reached. @param {Update<Item>} update */
    cancel(update: Update<Item>): void;
    /** A snapshot replaced everything: what is not confirmed goes on, on top of these. @param {Item[]} items */
    rebase(items: Item[]): void;
    /**
     * The item as the user wants it: the same object for the same item, as long as nothing changes.
     *
     * @param {Item} item as the server has it
     * @returns {Item}
     */
    view(item: Item): Item;
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
export declare function confirmUpdate(request: () => Promise<any>, { settle, cancel, changed }: {
    settle: () => void;
    cancel: (error: any) => void;
    changed: () => void;
}): Promise<boolean>;
