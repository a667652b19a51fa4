/** The bundle `bell.js`: the bell and the connection's state, for pages that show nothing else. */

import { createClient } from "../inbox/client.js";
import { connection } from "../inbox/config.js";
import { define } from "../elements/define.js";
import { NotificationBell } from "../elements/bell.js";
import { ConnectionStatus } from "../elements/status.js";

define({ "notification-bell": NotificationBell, "connection-status": ConnectionStatus });

export { connection, createClient };
