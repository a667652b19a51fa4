/** The bundle `watch.js`: the button by which the user watches an object. It rides on the connection that the page has. */
import { WatchButton } from "../elements/watch.js";
export { WatchButton };
