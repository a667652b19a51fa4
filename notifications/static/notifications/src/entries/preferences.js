/** The bundle `preferences.js`: the form of preferences, live. It rides on the connection that the page has. */

import { define } from "../elements/define.js";
import { NotificationPreferences } from "../elements/preferences.js";
import { NotificationSchedule } from "../elements/schedule.js";

define({ "notification-preferences": NotificationPreferences, "notification-schedule": NotificationSchedule });

export { NotificationPreferences, NotificationSchedule };
