/** The bundle `bell.js`: the bell and the connection's state, for pages that show nothing else. */

import { createClient } from "../inbox/client.js";
import { connection } from "../inbox/config.js";
import { NotificationBell } from "../elements/bell.js";
import { define } from "../elements/define.js";
import { ConnectionStatus } from "../elements/status.js";

define({ "notification-bell": NotificationBell, "connection-status": ConnectionStatus });

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
