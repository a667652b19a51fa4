/** The bundle `push.js`: where people turn pushes on in this browser. It rides on the connection that the page has. */
import { NotificationPush } from "../elements/push.js";
export { NotificationPush };
