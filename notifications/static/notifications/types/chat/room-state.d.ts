/** What is known of a room: its messages, its members, who is there, reads and types. */
export type Message = import("./types.js").Message;
export type Id = import("./types.js").Id;
export declare class RoomState {
    #private;
    id: number;
    /** @type {import("./types.js").RoomInfo | null} */
    info: import("./types.js").RoomInfo | null;
    /** @type {import("./types.js").Me | null} */
    me: import("./types.js").Me | null;
    /** How far each member has read. @type {Map<Id, number>} */
    reads: Map<Id, number>;
    /** Who of the members is here; null in a large room. @type {Id[] | null} */
    online: Id[] | null;
    onlineCount: number;
    /** The user is no member (any more), or there is no such room. */
    gone: boolean;
    loading: boolean;
    /** @type {string | null} */
    error: string | null;
    /** @param {import("./client.js").Chat} chat @param {number} id */
    constructor(chat: import("./client.js").Chat, id: number);
    /** The server's messages as the user wants them, oldest first; one that did not change is the same object. */
    get messages(): import("./types.js").Message[];
    /** What waits to be sent, in order. */
    get waiting(): Readonly<import("./types.js").Entry>[];
    /** @returns {Message | undefined} */
    get last(): Message | undefined;
    /** The newest number. */
    get head(): number;
    get unread(): number;
    get hasOlder(): boolean;
    /** Whether the first page is here. */
    get loaded(): boolean;
    /** Whether the first page, or an older one, is on its way. */
    get busy(): boolean;
    /** Who types, by name. */
    get typing(): string[];
    /** The other one in a direct room. */
    get other(): import("./types.js").Member | null;
    /** What the user calls this room. */
    get name(): string;
    /** Names of those who have read as far as `number`, without the user and the author. @param {Message} message */
    readers({ number, author }: Message): string[];
}
