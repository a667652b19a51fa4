/**
 * The connection as this tab has it: its own if it leads, else the leader's. Pages are hidden, cached, frozen and
 * restored; users sign out, and others in.
 */
export type Snapshot = import("./state.js").Snapshot;
export type Name = import("./state.js").Name;
export type Parts = {
    /**
     * of what the tabs share
     */
    name: string;
    /**
     * in order of preference
     */
    transports: [string, (session: import("./types.js").Session, query?: string) => void][];
    cursor: () => string;
    /**
     * ms that the server's clock is ahead
     */
    offset: () => number;
    onFrame: (frame: any) => void;
    onState: (state: Snapshot, before: Snapshot) => void;
    /**
     * from a tab of this user
     */
    onMessage: (message: {
        type: string;
        version: string;
        born: number;
    }) => void;
};
/**
 * @typedef {object} Parts
 * @property {string} name of what the tabs share
 * @property {[string, (session: import("./types.js").Session, query?: string) => void][]} transports in order of preference
 * @property {() => string} cursor
 * @property {() => number} offset ms that the server's clock is ahead
 * @property {(frame: any) => void} onFrame
 * @property {(state: Snapshot, before: Snapshot) => void} onState
 * @property {(message: {type: string, version: string, born: number}) => void} onMessage from a tab of this user
 */
export declare class Connection {
    #private;
    /** What the connection carries, and who is told: what else rides on it takes the place of these, and calls them. */
    parts: Parts;
    /** Tell the machine what happened. @type {(event: import("./machine.js").Event) => void} */
    send: (event: import("./machine.js").Event) => void;
    /** What the server calls the connection of this tab; who opens another one forgets it. @type {string | undefined} */
    name: string | undefined;
    /** What this tab says of the connection. */
    state: import("./state.js").Snapshot;
    /**
     * @param {import("./types.js").PageConfig} config
     * @param {import("./env.js").Env} env
     * @param {AbortSignal} ended its client is
     * @param {Parts} parts
     */
    constructor(config: import("./types.js").PageConfig, env: import("./env.js").Env, ended: AbortSignal, parts: Parts);
    get leading(): boolean;
    /** Tell the other tabs. @param {string} type @param {object} [more] */
    post(type: string, more?: object): void;
    open(): void;
    close(): void;
    /** Try now; any tab may ask. */
    retry(): void;
    /** The server does not know the user any more. @param {string} reason */
    signOut(reason: string): void;
}
