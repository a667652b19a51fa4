/**
 * The shapes that cross the borders of the core; no code.
 *
 * @typedef {object} PageConfig what every client needs of the page
 * @property {string} user an opaque key of the user
 * @property {string} [site] an opaque key of the site, for what the browser keeps of it
 * @property {{header: string, cookie: string | null, token: string}} csrf
 * @property {string} version of the package
 * @property {{csrf?: string}} [urls]
 * @property {string} [language]
 * @property {Record<string, string>} [strings]
 * @property {Partial<import("./env.js").Env>} [env] what a test brings instead of the browser
 *
 * @typedef {object} Ending why a connection ended
 * @property {string} reason
 * @property {number | null} [retry] ms, null = do not come back
 * @property {string} [message]
 *
 * @typedef {object} Session one connection as its transport sees it: the transport calls `bytes` at every sign of life,
 *   `frame` with each frame in order, and `end` once; what comes after the signal was aborted is ignored
 * @property {() => string} since the cursor to continue from; empty for none
 * @property {AbortSignal} signal
 * @property {() => void} bytes
 * @property {(frame: any) => void} frame
 * @property {(time: number) => void} floor ms that the server wants between connections
 * @property {(ending: Ending) => void} end
 *
 * @typedef {(session: Session, url: string, page: {user: string, language?: string}, env: import("./env.js").Env) => void} Transport
 */
export type PageConfig = {
    /**
     * an opaque key of the user
     */
    user: string;
    /**
     * an opaque key of the site, for what the browser keeps of it
     */
    site?: string;
    csrf: {
        header: string;
        cookie: string | null;
        token: string;
    };
    /**
     * of the package
     */
    version: string;
    urls?: {
        csrf?: string;
    };
    language?: string;
    strings?: Record<string, string>;
    /**
     * what a test brings instead of the browser
     */
    env?: Partial<import("./env.js").Env>;
};
export type Ending = {
    reason: string;
    /**
     * ms, null = do not come back
     */
    retry?: number | null;
    message?: string;
};
export type Session = {
    /**
     * the cursor to continue from; empty for none
     */
    since: () => string;
    signal: AbortSignal;
    bytes: () => void;
    frame: (frame: any) => void;
    /**
     * ms that the server wants between connections
     */
    floor: (time: number) => void;
    end: (ending: Ending) => void;
};
export type Transport = (session: Session, url: string, page: {
    user: string;
    language?: string;
}, env: import("./env.js").Env) => void;
export {};
