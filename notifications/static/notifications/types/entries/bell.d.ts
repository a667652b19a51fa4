/** The bundle `bell.js`: the bell and the connection's state, for pages that show nothing else. */
import { createClient } from "../inbox/client.js";
import { connection } from "../inbox/config.js";
export type Client = import("../inbox/client.js").Client;
export type Feed = import("../inbox/feed.js").Feed;
export type Alerts = import("../inbox/alerts.js").Alerts;
export type Config = import("../inbox/types.js").Config;
export type Counts = import("../inbox/types.js").Counts;
export type Events = import("../inbox/types.js").Events;
export type Failure = import("../inbox/types.js").Failure;
export type Item = import("../inbox/types.js").Item;
export type State = import("../inbox/types.js").State;
export { connection, createClient };
