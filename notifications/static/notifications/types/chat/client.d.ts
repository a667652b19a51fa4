/** The chat's client: one socket for this tab, its rooms, and the outbox that gets everything through. */
import { PageClient } from "../core/page-client.js";
import { Outbox } from "./outbox.js";
import { Room } from "./room.js";
import { RoomList } from "./room-list.js";
export type ChatConfig = import("./types.js").ChatConfig;
/**
 * Make a client of your own; it connects when something holds it.
 *
 * @param {ChatConfig} config
 * @returns {Chat}
 */
export declare function createChat(config: ChatConfig): Chat;
/** @extends {PageClient<ChatConfig, import("./types.js").ChatEvents>} */
export declare class Chat extends PageClient<ChatConfig, import("./types.js").ChatEvents> {
    #private;
    /** Who the user is. @type {import("./types.js").Actor | null} */
    me: import("./types.js").Actor | null;
    /** What is not acknowledged yet. */
    outbox: Outbox;
    /** The user's rooms. */
    list: RoomList;
    /** The connection, as people are told. @returns {Readonly<import("../core/state.js").Snapshot>} */
    get state(): Readonly<import("../core/state.js").Snapshot>;
    /** Whether commands get through. @returns {boolean} */
    get live(): boolean;
    /** Try now, whatever the state. */
    retryNow(): void;
    /**
     * A room; the same object for the same id.
     *
     * @param {number} id
     * @returns {Room}
     */
    room(id: number): Room;
}
