/** The feeds of a page: whoever follows one gets a handle, and all share the page's one connection. */

import { Channel } from "./channel.js";
import { Feed } from "./feed.js";
import { Follower } from "./follower.js";

const LINGER = 5_000; // ms that a feed is kept after the last has let go: elements are moved and swapped

/**
 * Make the feeds of a page client of your own.
 *
 * @param {import("./types.js").FeedsConfig} config
 * @param {import("./types.js").PageConnection | Promise<import("./types.js").PageConnection>} page
 * @returns {Feeds}
 */
export function createFeeds(config, page) {
  return new Feeds(config, page);
}

export class Feeds {
  /** By name. @type {Map<string, Feed>} */
  #feeds = new Map();
  /** @type {Channel | undefined} */
  #channel;
  /** @type {(() => void) | undefined} */
  #release;
  #due = false;

  /**
   * @internal
   * @param {import("./types.js").FeedsConfig} config
   * @param {import("./types.js").PageConnection | Promise<import("./types.js").PageConnection>} page
   */
  constructor(config, page) {
    /** What was written into the page. @type {Readonly<import("./types.js").FeedsConfig>} */
    this.config = Object.freeze(config);
    /** The page's client, with the connection. @internal */
    this.page = Promise.resolve(page).then((client) => {
      this.#channel = new Channel(client, config, this.#feeds);
      this.#hold(client);
      return client;
    });
  }

  /**
   * Follow a feed, until the handle is closed.
   *
   * @param {string} name
   * @param {import("./types.js").Handlers} [handlers]
   * @returns {Follower}
   */
  follow(name, handlers = {}) {
    let feed = this.#feeds.get(name);
    const since = handlers.since ?? "";
    if (!feed) {
      feed = new Feed(name, since);
      this.#feeds.set(name, feed);
    } else if (feed.loaded || since) handlers.onMove?.(feed.cursor);
    const known = feed;
    if (!since && known.loaded)
      queueMicrotask(() => known.followers.has(handlers) && handlers.onReset?.(known.events, "start"));
    else if (!since && known.cursor) {
      known.cursor = ""; // somebody has begun in the middle: begin again
      this.#channel?.fill(known);
    }
    known.followers.add(handlers);
    this.#changed();
    return new Follower(known, handlers, () => this.#close(known, handlers));
  }

  /**
   * Have the writer of a growing text stop.
   *
   * @param {number} id of its event
   * @returns {Promise<boolean>} whether it was still being written
   */
  async stop(id) {
    const client = await this.page;
    return (await client.ask(this.config.urls.stop, { id })).stopped;
  }

  /** A text in the page's language. @internal @param {string} key */
  text(key) {
    return this.config.strings?.[key] ?? key;
  }

  /** @param {Feed} feed @param {object} handlers */
  async #close(feed, handlers) {
    if (!feed.followers.delete(handlers) || feed.followers.size) return;
    const { env } = await this.page;
    env.setTimeout(() => {
      if (feed.followers.size || this.#feeds.get(feed.name) !== feed) return;
      this.#feeds.delete(feed.name);
      this.#changed();
    }, LINGER);
  }

  /** Tell once, however many come and go together. */
  async #changed() {
    if (this.#due) return;
    this.#due = true;
    const client = await this.page;
    this.#due = false;
    this.#hold(client);
    this.#channel?.changed();
  }

  /** @param {import("./types.js").PageConnection} client */
  #hold(client) {
    if (this.#feeds.size) this.#release ??= client.hold(this);
    else {
      this.#release?.();
      this.#release = undefined;
    }
  }
}
