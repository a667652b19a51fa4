/**
 * What this tab knows of the inbox: the server's items, the user's own changes on top, and the position.
 *
 * It is idempotent: an item counts if its version is newer, so frames may come twice, late or out of order. A hole is
 * noticed (`apply` says so) and healed by asking again from the cursor. Counts are the server's; the user's own changes
 * are added to them until a frame brings the items back.
 */
export type Item = import("./types.js").Item;
export type Counts = import("./types.js").Counts;
export type Update = import("../core/optimistic.js").Update<Item>;
export declare class Store {
    #private;
    /** The position up to which nothing is missing. */
    cursor: string;
    /** The latest position that anything here came from: what the user can have seen. */
    top: string;
    /** The highest id that was ever here. */
    newest: number;
    /** Rises with every change. */
    revision: number;
    /** How many snapshots replaced everything: a page that was asked for before is of no use. */
    resets: number;
    /**
     * @param {{cursor: string, unread: number, unseen: number}} start
     * @param {() => number} now the server's clock
     */
    constructor(start: {
        cursor: string;
        unread: number;
        unseen: number;
    }, now: () => number);
    /** The numbers for the badge. @returns {Counts} */
    get counts(): Counts;
    /** All items as the user wants them, newest first. @returns {Item[]} */
    get items(): Item[];
    /** When the next item expires, by the server's clock in epoch ms. @returns {number} */
    get until(): number;
    /**
     * Take a frame.
     *
     * @param {any} frame
     * @returns {{hole?: boolean, reset?: boolean, arrivals?: Item[], grown?: Item[]}} `hole`: ask the server again from
     *   `cursor`; `grown`: what people were told of before, and is unseen again
     */
    apply(frame: any): {
        hole?: boolean;
        reset?: boolean;
        arrivals?: Item[];
        grown?: Item[];
    };
    /**
     * Take a page of the API. Its rows are true at its cursor or later, but they are not all that happened until then:
     * the store's own cursor stays.
     *
     * @param {{items: Item[], cursor: string, unread: number, unseen: number}} page
     */
    page(page: {
        items: Item[];
        cursor: string;
        unread: number;
        unseen: number;
    }): void;
    /**
     * Show a change before the server knows of it.
     *
     * @param {Partial<Item>} change
     * @param {number[]} ids
     * @param {readonly ("unread" | "unseen")[]} [emptied] counts that the change empties, items known here or not
     * @returns {Update}
     */
    optimisticUpdate(change: Partial<Item>, ids: number[], emptied?: readonly ("unread" | "unseen")[]): Update;
    /** The server confirmed: the update ends when the server's own item comes. @param {Update} update */
    settle(update: Update): void;
    /** The server refused, or was not reached. @param {Update} update */
    cancel(update: Update): void;
    /** Forget everything: the user signed out. */
    clear(): void;
}
