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
    get state(): import("../core/state.js").Snapshot;
    open(): void;
    stop(): void;
    /** @param {string} reason */
    signOut(reason: string): void;
}
