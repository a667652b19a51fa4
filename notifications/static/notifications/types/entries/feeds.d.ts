/** The bundle `feeds.js`: following feeds over the connection that the page has; it fetches the elements that show them. */
import { createFeeds } from "../feeds/client.js";
import { feeds } from "../feeds/config.js";
export type Feeds = import("../feeds/client.js").Feeds;
export type Follower = import("../feeds/follower.js").Follower;
export type FeedEvent = import("../feeds/types.js").FeedEvent;
export type FeedsConfig = import("../feeds/types.js").FeedsConfig;
export type FeedState = import("../feeds/types.js").FeedState;
export type Handlers = import("../feeds/types.js").Handlers;
export { createFeeds, feeds };
