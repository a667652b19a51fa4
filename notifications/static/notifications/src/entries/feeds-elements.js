/** The bundle `feeds-elements.js`: the elements that show feeds. `feeds.js` asks for it where the page wants them. */

import { register } from "../elements/live/register.js";

export { register };
