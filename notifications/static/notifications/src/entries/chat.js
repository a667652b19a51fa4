/** The bundle `chat.js`: the chat's elements, beside those of `notifications.js`. */

import { createChat } from "../chat/client.js";
import { chat } from "../chat/config.js";
import { define } from "../elements/define.js";
import { ChatList } from "../elements/chat/list.js";
import { ChatRoom } from "../elements/chat/room.js";

define({ "chat-room": ChatRoom, "chat-list": ChatList });

export { chat, createChat };
