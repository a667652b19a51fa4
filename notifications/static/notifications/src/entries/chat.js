/** The bundle `chat.js`: the chat's elements, beside those of `notifications.js`. */

import { createChat } from "../chat/client.js";
import { chat } from "../chat/config.js";
import { ChatList } from "../elements/chat/list.js";
import { ChatRoom } from "../elements/chat/room.js";
import { define } from "../elements/define.js";

define({ "chat-room": ChatRoom, "chat-list": ChatList });

/** @typedef {import("../chat/client.js").Chat} Chat */
/** @typedef {import("../chat/room.js").Room} Room */
/** @typedef {import("../chat/room-list.js").RoomList} RoomList */
/** @typedef {import("../chat/types.js").ChatConfig} ChatConfig */
/** @typedef {import("../chat/types.js").ChatEvents} ChatEvents */
/** @typedef {import("../chat/types.js").Entry} Entry */
/** @typedef {import("../chat/types.js").Member} Member */
/** @typedef {import("../chat/types.js").Message} Message */

export { chat, createChat };
