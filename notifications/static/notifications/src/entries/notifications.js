/** The bundle `notifications.js`: everything but the chat. */

import { createClient } from "../inbox/client.js";
import { connection } from "../inbox/config.js";
import { define } from "../elements/define.js";
import { NotificationBell } from "../elements/bell.js";
import { NotificationList } from "../elements/list.js";
import { ConnectionStatus } from "../elements/status.js";
import { NotificationToasts } from "../elements/toasts.js";
import { addExtras } from "../inbox/extras.js";

addExtras();
define({
  "notification-bell": NotificationBell,
  "connection-status": ConnectionStatus,
  "notification-list": NotificationList,
  "notification-toasts": NotificationToasts,
});

export { connection, createClient };
