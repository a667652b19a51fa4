/** The bundle `feeds.js`: following feeds over the connection that the page has; it fetches the elements that show them. */

import { createFeeds } from "../feeds/client.js";
import { feeds } from "../feeds/config.js";

/** @typedef {import("../feeds/client.js").Feeds} Feeds */
/** @typedef {import("../feeds/follower.js").Follower} Follower */
/** @typedef {import("../feeds/types.js").FeedEvent} FeedEvent */
/** @typedef {import("../feeds/types.js").FeedsConfig} FeedsConfig */
/** @typedef {import("../feeds/types.js").FeedState} FeedState */
/** @typedef {import("../feeds/types.js").Handlers} Handlers */

const page = feeds();
const elements = page?.config.urls.elements;
if (elements) import(elements).then(({ register }) => register(page));

export { createFeeds, feeds };
