/** A room that keeps itself right: it opens, continues from its cursor, notices holes, and pages. */
import { RoomState } from "./room-state.js";
export type Message = import("./types.js").Message;
export declare class SyncedRoom extends RoomState {
    #private;
    /**
     * Keep the room open until the returned function is called.
     *
     * @param {boolean} [reading] the messages are shown, not only that there are some
     * @returns {() => void}
     */
    hold(reading?: boolean): () => void;
    /** Fetch the page before the oldest message. @param {number} [limit] */
    loadOlder(limit?: number): Promise<void>;
    /** Fetch older pages until a message is here. @param {number} number @returns {Promise<boolean>} */
    reach(number: number): Promise<boolean>;
    /** The message that a reply quotes; asked for if it is not here. @param {number} number @returns {Message | null} */
    quote(number: number): Message | null;
}
