/** Who wants something to stay open. It stays a while after the last has let go: elements are moved and swapped. */
export declare class Holders {
    #private;
    /**
     * @param {import("./env.js").Env} env
     * @param {() => void} onIdle called when nobody has wanted it for a while
     */
    constructor(env: import("./env.js").Env, onIdle: () => void);
    get any(): boolean;
    /**
     * @param {object} holder one that holds twice counts once
     * @returns {() => void} let go
     */
    hold(holder: object): () => void;
    /** Nobody wants it any more, at once. */
    clear(): void;
}
