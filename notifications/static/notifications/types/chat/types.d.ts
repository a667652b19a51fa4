/**
 * The shapes of the chat that cross the borders of the client; no code.
 *
 * @typedef {number | string} Id
 * @typedef {{id: Id, name: string}} Actor
 * @typedef {{emoji: string, count: number, users: Id[]}} Reaction `users` holds the first 50
 *
 * @typedef {object} Message one message of a room, whole
 * @property {number} number 1, 2, 3 … in its room; its name and its place
 * @property {number} version rises with every change; 0 while only the acknowledgement is here
 * @property {"text" | "joined" | "left" | "renamed" | "role"} kind all but `text` are events told in the history
 * @property {string | null} client_id the sender's own name for it
 * @property {Actor | null} author null: the account was deleted
 * @property {Actor | null} subject whom an event is about
 * @property {string} body
 * @property {number | null} reply_to
 * @property {string} created_at ISO 8601, UTC, as all times
 * @property {string | null} edited_at
 * @property {"author" | "moderator" | null} deleted a tombstone: nothing else is left
 * @property {Reaction[]} reactions
 * @property {boolean} [pending] a change of the user's waits for the server's confirmation
 *
 * @typedef {"queued" | "sending" | "failed"} Sending
 * @typedef {object} Entry a message that the server has not acknowledged
 * @property {string} id its `client_id`
 * @property {number} room
 * @property {string} body
 * @property {number | null} reply_to
 * @property {number} at epoch ms, and the order of sending
 * @property {Sending} state
 * @property {string} [error] why it failed for good
 *
 * @typedef {object} Member
 * @property {Id} id
 * @property {string} name
 * @property {string | null} handle
 * @property {"member" | "moderator"} role
 * @property {number} last_read
 *
 * @typedef {object} RoomInfo
 * @property {number} id
 * @property {"direct" | "group"} kind
 * @property {string} name empty in a direct room
 * @property {number} last_number
 * @property {number} member_count
 * @property {Member[] | null} members null in a large room
 * @property {Id[] | null} online
 * @property {number} online_count
 *
 * @typedef {{role: "member" | "moderator", last_read: number, muted: boolean, unread: number}} Me
 * @typedef {{info: RoomInfo, me: Me, last: Message | null, cursor: string}} ListedRoom
 *
 * @typedef {object} Own what `{% chat_head %}` writes into the page, beside what every client needs
 * @property {{socket: string | null, rooms: string, baseStyle: string, chatStyle: string}} urls
 * @property {Actor} [me]
 *
 * @typedef {import("../core/types.js").PageConfig & Own} ChatConfig what the page's blocks say
 *
 * @typedef {import("../core/state.js").Name} StateName
 * @typedef {import("../core/state.js").Snapshot} State
 *
 * @typedef {object} ChatEvents what `on` listens to, by type
 * @property {undefined} change
 * @property {State & {from: StateName, to: StateName}} state
 * @property {{room: import("./room.js").Room, messages: Message[]}} message what others have just said
 * @property {{room: import("./room.js").Room, message: string}} failure a change was taken back
 */
export type Id = number | string;
export type Actor = {
    id: Id;
    name: string;
};
export type Reaction = {
    emoji: string;
    count: number;
    users: Id[];
};
export type Message = {
    /**
     * 1, 2, 3 … in its room; its name and its place
     */
    number: number;
    /**
     * rises with every change; 0 while only the acknowledgement is here
     */
    version: number;
    /**
     * all but `text` are events told in the history
     */
    kind: "text" | "joined" | "left" | "renamed" | "role";
    /**
     * the sender's own name for it
     */
    client_id: string | null;
    /**
     * null: the account was deleted
     */
    author: Actor | null;
    /**
     * whom an event is about
     */
    subject: Actor | null;
    body: string;
    reply_to: number | null;
    /**
     * ISO 8601, UTC, as all times
     */
    created_at: string;
    edited_at: string | null;
    /**
     * a tombstone: nothing else is left
     */
    deleted: "author" | "moderator" | null;
    reactions: Reaction[];
    /**
     * a change of the user's waits for the server's confirmation
     */
    pending?: boolean;
};
export type Sending = "queued" | "sending" | "failed";
export type Entry = {
    /**
     * its `client_id`
     */
    id: string;
    room: number;
    body: string;
    reply_to: number | null;
    /**
     * epoch ms, and the order of sending
     */
    at: number;
    state: Sending;
    /**
     * why it failed for good
     */
    error?: string;
};
export type Member = {
    id: Id;
    name: string;
    handle: string | null;
    role: "member" | "moderator";
    last_read: number;
};
export type RoomInfo = {
    id: number;
    kind: "direct" | "group";
    /**
     * empty in a direct room
     */
    name: string;
    last_number: number;
    member_count: number;
    /**
     * null in a large room
     */
    members: Member[] | null;
    online: Id[] | null;
    online_count: number;
};
export type Me = {
    role: "member" | "moderator";
    last_read: number;
    muted: boolean;
    unread: number;
};
export type ListedRoom = {
    info: RoomInfo;
    me: Me;
    last: Message | null;
    cursor: string;
};
export type Own = {
    urls: {
        socket: string | null;
        rooms: string;
        baseStyle: string;
        chatStyle: string;
    };
    me?: Actor;
};
export type ChatConfig = import("../core/types.js").PageConfig & Own;
export type StateName = import("../core/state.js").Name;
export type State = import("../core/state.js").Snapshot;
export type ChatEvents = {
    change: undefined;
    state: State & {
        from: StateName;
        to: StateName;
    };
    /**
     * what others have just said
     */
    message: {
        room: import("./room.js").Room;
        messages: Message[];
    };
    /**
     * a change was taken back
     */
    failure: {
        room: import("./room.js").Room;
        message: string;
    };
};
export {};
