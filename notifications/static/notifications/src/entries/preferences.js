/** The bundle `preferences.js`: the form of preferences, live. It rides on the connection that the page has. */

import { define } from "../elements/define.js";
import { NotificationPreferences } from "../elements/preferences.js";

define({ "notification-preferences": NotificationPreferences });

export { NotificationPreferences };
