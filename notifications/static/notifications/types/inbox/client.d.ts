/** The client: what people do with their notifications is shown at once, and taken back if the server says no. */
import { LiveInbox } from "./live-inbox.js";
export type Ids = number | Iterable<number>;
export type Action = import("./types.js").Action;
/** Called with each new client: what a bundle adds to the core. @type {((client: Client) => void)[]} */
export declare const extensions: ((client: Client) => void)[];
/**
 * Make a client of your own; it connects when something holds it, or at `start()`.
 *
 * @param {import("./types.js").Config} config
 * @returns {Client}
 */
export declare function createClient(config: import("./types.js").Config): Client;
export declare class Client extends LiveInbox {
    #private;
    /** Sound and desktop notifications; absent in `bell.js`. @type {import("./alerts.js").Alerts | undefined} */
    alerts: import("./alerts.js").Alerts | undefined;
    /** Mark as read. @param {Ids} ids @returns {Promise<boolean>} whether the server confirmed all */
    markRead(ids: Ids): Promise<boolean>;
    /** Remember that the link was followed, which reads too. @param {Ids} ids @returns {Promise<boolean>} as above */
    follow(ids: Ids): Promise<boolean>;
    /** Mark as unread. @param {Ids} ids @returns {Promise<boolean>} as above */
    markUnread(ids: Ids): Promise<boolean>;
    /** Move out of the inbox. @param {Ids} ids @returns {Promise<boolean>} as above */
    archive(ids: Ids): Promise<boolean>;
    /** Move back into the inbox. @param {Ids} ids @returns {Promise<boolean>} as above */
    unarchive(ids: Ids): Promise<boolean>;
    /** Mark as read all that had arrived when the user asked for it. @returns {Promise<boolean>} as above */
    markAllRead(): Promise<boolean>;
    /** Mark as seen all that had arrived; costs nothing if everything is. @returns {Promise<boolean>} as above */
    markSeen(): Promise<boolean>;
}
