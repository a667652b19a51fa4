/** The bundle `chat.js`: the chat's elements, beside those of `notifications.js`. */
import { createChat } from "../chat/client.js";
import { chat } from "../chat/config.js";
export type Chat = import("../chat/client.js").Chat;
export type Room = import("../chat/room.js").Room;
export type RoomList = import("../chat/room-list.js").RoomList;
export type ChatConfig = import("../chat/types.js").ChatConfig;
export type ChatEvents = import("../chat/types.js").ChatEvents;
export type Entry = import("../chat/types.js").Entry;
export type Member = import("../chat/types.js").Member;
export type Message = import("../chat/types.js").Message;
export { chat, createChat };
