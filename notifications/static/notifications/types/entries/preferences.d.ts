/** The bundle `preferences.js`: the form of preferences, live. It rides on the connection that the page has. */
import { NotificationPreferences } from "../elements/preferences.js";
import { NotificationSchedule } from "../elements/schedule.js";
export { NotificationPreferences, NotificationSchedule };
