/** The user's rooms: the most recently active first, each of them live. */
export type Room = import("./room.js").Room;
export declare class RoomList {
    #private;
    loaded: boolean;
    loading: boolean;
    /** @type {string | null} */
    error: string | null;
    /** @param {import("./client.js").Chat} chat */
    constructor(chat: import("./client.js").Chat);
    /** @returns {Room[]} */
    get rooms(): Room[];
    get unread(): number;
    get hasMore(): boolean;
    /** @returns {() => void} */
    hold(): () => void;
    /** Fetch the first page; again after each reconnect, for rooms that came meanwhile. */
    load(): Promise<void>;
    loadMore(): Promise<void>;
}
