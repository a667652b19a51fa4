/** The connection of a page that has no bell: it carries feeds, and no inbox. */
import { Connection } from "../core/connection.js";
import { PageClient } from "../core/page-client.js";
export type Session = import("../core/types.js").Session;
export type FeedsConfig = import("./types.js").FeedsConfig;
/** @extends {PageClient<FeedsConfig, {state: import("../core/state.js").Snapshot, change: object}>} */
export declare class Standalone extends PageClient<FeedsConfig, {
    state: import("../core/state.js").Snapshot;
    change: object;
}> {
    link: Connection;
    /** @param {FeedsConfig} config */
    constructor(config: FeedsConfig);
    open(): void;
    stop(): void;
    destroy(): void;
    /**
     * Ask the API. One that does not know the user signs the page out.
     *
     * @param {string} url
     * @param {object} [body]
     */
    ask(url: string, body?: object): Promise<any>;
}
