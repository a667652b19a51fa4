/** The bundle `watch.js`: the button by which the user watches an object. It rides on the connection that the page has. */

import { define } from "../elements/define.js";
import { WatchButton } from "../elements/watch.js";

define({ "watch-button": WatchButton });

export { WatchButton };
