/**
 * The shapes that cross the borders of the feeds; no code.
 *
 * @typedef {object} FeedEvent something that was published
 * @property {number} id 0 in a feed that keeps nothing
 * @property {number} version its position in the feed; 0 in a feed that keeps nothing
 * @property {string} event what kind of event it is
 * @property {string} key of the value, in a feed that keeps the latest of each
 * @property {Record<string, any>} data of a text that grows: `text` is all of it, `state` is writing, done, stopped or failed
 * @property {string} at ISO 8601, in UTC
 * @property {string} [append] what a text has grown by since it was told the last time
 *
 * @typedef {"connecting" | "live" | "stale" | "gone"} FeedStateName
 *
 * @typedef {object} FeedState
 * @property {FeedStateName} name
 * @property {string} reason why it is gone: denied, unknown, ended, too-many, signed-out; empty otherwise
 * @property {string} message a sentence for developers, where the server says one
 *
 * @typedef {object} Handlers
 * @property {string} [since] the cursor of what the page shows already; without it everything present is told first
 * @property {(event: FeedEvent) => void} [onEvent]
 * @property {(events: readonly FeedEvent[], reason: string) => void} [onReset] a fresh start: these are the present events
 * @property {(state: FeedState) => void} [onState]
 * @property {(cursor: string) => void} [onMove] the feed is at this position now
 *
 * @typedef {object} FeedUrls
 * @property {string} client the module that brings the page's connection
 * @property {string | null} elements the module of the elements, where the page wants them
 * @property {string} stream
 * @property {string} changes
 * @property {string} feeds
 * @property {string} stop
 * @property {string} cancel with `{id}` in it
 *
 * @typedef {object} Own what `{% feeds_head %}` writes into the page, beside what every client needs
 * @property {1} v
 * @property {FeedUrls} urls
 *
 * @typedef {import("../core/types.js").PageConfig & Own} FeedsConfig
 *
 * @typedef {object} PageConnection what a page's client is to feeds
 * @property {import("../core/env.js").Env} env
 * @property {import("../core/connection.js").Connection} link
 * @property {(holder?: object) => () => void} hold
 * @property {(url: string, body?: object) => Promise<any>} ask
 */

export {};
