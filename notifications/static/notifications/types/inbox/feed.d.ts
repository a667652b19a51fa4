/** A filtered, paged view of the store: what a list shows. */
export type Item = import("./types.js").Item;
export declare class Feed {
    #private;
    /** What it shows. */
    filter: import("./types.js").Listed;
    /** Whether the first page is here. */
    loaded: boolean;
    /** Whether a page is on its way. */
    loading: boolean;
    /** A sentence in the page's language. @type {string | null} */
    error: string | null;
    /** What to show, newest first. An item that did not change is the same object as before. @returns {readonly Item[]} */
    get items(): readonly Item[];
    /** How many newer items wait while the feed is held. */
    get fresh(): number;
    /** Whether there are older items. */
    get hasMore(): boolean;
    /** Whether there is nothing: the server says so, not only this tab. */
    get empty(): boolean;
    /** Fetch the first page, unless it is here. */
    load(): Promise<void>;
    /** Fetch the next page, or the one that failed. */
    loadMore(): Promise<void>;
    /** Keep what the reader looks at in place (true), or let everything in (false). @param {boolean} on */
    hold(on: boolean): void;
    /** Let in what waits, and go on holding. */
    showFresh(): void;
}
