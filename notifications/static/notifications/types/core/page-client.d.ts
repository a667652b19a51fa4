/** What every client of a page is: it has the page's configuration, is held by elements, and tells of changes once per frame. */
import { Emitter } from "./emitter.js";
import { Holders } from "./holders.js";
/**
 * @template {import("./types.js").PageConfig} Config
 * @template {Record<string, any>} Events what each type carries
 * @extends {Emitter<Events>}
 */
export declare class PageClient<Config extends import("./types.js").PageConfig, Events extends Record<string, any>> extends Emitter<Events> {
    #private;
    /** What was written into the page. @type {Readonly<Config>} */
    config: Readonly<Config>;
    /** Want the connection, until the returned function is called. @returns {() => void} */
    hold(holder?: {}): () => void;
    /**
     * A sentence in the page's language.
     *
     * @param {string} key
     * @param {string} [fallback] where the page has no such text
     * @returns {string}
     */
    text(key: string, fallback?: string): string;
    /** End for good. */
    destroy(): void;
    /** The connection. @returns {Readonly<import("./state.js").Snapshot>} */
    get state(): Readonly<import("./state.js").Snapshot>;
}
