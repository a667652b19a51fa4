/** The bundle `push.js`: where people turn pushes on in this browser. It rides on the connection that the page has. */

import { define } from "../elements/define.js";
import { NotificationPush } from "../elements/push.js";

define({ "notification-push": NotificationPush });

export { NotificationPush };
