/** What the client takes from the browser: the one place that reaches for its globals, so that a test can bring its own. */
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
    /**
     * epoch ms
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
 * @param {Partial<Env>} [own] what takes the browser's place
 * @returns {Env}
 */
export declare function environment(own?: Partial<Env>): Env;
/**
 * What the browser keeps between pages; private modes and sandboxed frames throw at the mere mention.
 *
 * @param {Env} env
 * @returns {Storage | undefined}
 */
export declare function storageOf(env: Env): Storage | undefined;
