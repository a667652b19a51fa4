/** The bundle `feeds-alone.js`: the connection of a page that follows feeds and has no bell. `feeds.js` asks for it. */
import { Standalone } from "../feeds/standalone.js";
/** The page's one client, from the configuration that `{% feeds_head %}` wrote into it. @returns {Standalone} */
export declare function connection(): Standalone;
