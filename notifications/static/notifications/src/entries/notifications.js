/** The bundle `notifications.js`: everything but the chat. */

import { createClient } from "../inbox/client.js";
import { connection } from "../inbox/config.js";
import { addExtras } from "../inbox/extras.js";
import { NotificationBell } from "../elements/bell.js";
import { define } from "../elements/define.js";
import { NotificationList } from "../elements/list.js";
import { ConnectionStatus } from "../elements/status.js";
import { NotificationToasts } from "../elements/toasts.js";

addExtras();
define({
  "notification-bell": NotificationBell,
  "connection-status": ConnectionStatus,
  "notification-list": NotificationList,
  "notification-toasts": NotificationToasts,
});

/** @typedef {import("../inbox/client.js").Client} Client */
/** @typedef {import("../inbox/feed.js").Feed} Feed */
/** @typedef {import("../inbox/alerts.js").Alerts} Alerts */
/** @typedef {import("../inbox/types.js").Config} Config */
/** @typedef {import("../inbox/types.js").Counts} Counts */
/** @typedef {import("../inbox/types.js").Events} Events */
/** @typedef {import("../inbox/types.js").Failure} Failure */
/** @typedef {import("../inbox/types.js").Item} Item */
/** @typedef {import("../inbox/types.js").State} State */

export { connection, createClient };
