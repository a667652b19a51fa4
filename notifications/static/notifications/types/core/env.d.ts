/** What the client takes from its surroundings: the browser's, or what a test brings instead. */
export type Env = {
    fetch: typeof globalThis.fetch;
    /**
     * in place of the browser's own
     */
    WebSocket?: typeof globalThis.WebSocket;
    BroadcastChannel: typeof globalThis.BroadcastChannel | undefined;
    /**
     * undefined where the page is no secure context
     */
    locks: LockManager | undefined;
    /**
     * in place of the browser's own
     */
    storage?: Storage | undefined;
    isOffline: () => boolean;
    /**
     * epoch ms, by this machine's clock
     */
    now: () => number;
    random: () => number;
    setTimeout: (callback: () => void, time: number) => any;
    clearTimeout: (timer: any) => void;
    /**
     * before the next painting
     */
    frame: (callback: () => void) => void;
    window: EventTarget | undefined;
    document: Document | undefined;
};
/**
 * @typedef {object} Env
 * @property {typeof globalThis.fetch} fetch
 * @property {typeof globalThis.WebSocket} [WebSocket] in place of the browser's own
 * @property {typeof globalThis.BroadcastChannel | undefined} BroadcastChannel
 * @property {LockManager | undefined} locks undefined where the page is no secure context
 * @property {Storage | undefined} [storage] in place of the browser's own
 * @property {() => boolean} isOffline
 * @property {() => number} now epoch ms, by this machine's clock
 * @property {() => number} random
 * @property {(callback: () => void, time: number) => any} setTimeout
 * @property {(timer: any) => void} clearTimeout
 * @property {(callback: () => void) => void} frame before the next painting
 * @property {EventTarget | undefined} window
 * @property {Document | undefined} document
 */
/**
 * @param {Partial<Env>} [own] what takes the browser's place
 * @returns {Env}
 */
export declare function environment(own?: Partial<Env>): Env;
/**
 * What the browser keeps between pages.
 *
 * @param {Env} env
 * @returns {Storage | undefined}
 */
export declare const storageOf: (env: Env) => Storage | undefined;
