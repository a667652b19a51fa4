/** One room as an element sees it: what the user can do in it, on top of what is known of it. */
import { SyncedRoom } from "./synced-room.js";
export type Message = import("./types.js").Message;
export type Entry = import("./types.js").Entry;
export type Id = import("./types.js").Id;
export declare class Room extends SyncedRoom {
    #private;
    /**
     * Send a message: now, or as soon as there is a connection.
     *
     * @param {string} body
     * @param {number | null} [reply_to]
     * @returns {boolean} false: nothing to send, or too much waits already
     */
    send(body: string, reply_to?: number | null): boolean;
    /** Send everything again that failed for good. */
    retryAll(): void;
    /** Give up what failed for good. */
    deleteAll(): void;
    /** @param {Message} message @param {string} body @returns {Promise<boolean>} */
    edit(message: Message, body: string): Promise<boolean>;
    /** @param {Message} message @returns {Promise<boolean>} */
    delete(message: Message): Promise<boolean>;
    /** @param {Message} message @param {string} emoji @returns {Promise<boolean>} */
    react(message: Message, emoji: string): Promise<boolean>;
    /** @param {boolean} on */
    mute(on: boolean): Promise<void>;
    /** The user is writing, or has stopped. @param {boolean} on */
    type(on: boolean): void;
    /** The user has seen everything that is here. One receipt at a time; the last one counts. */
    markRead(): Promise<void>;
}
