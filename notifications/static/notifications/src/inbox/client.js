/** The client: one connection per browser, one store per tab, and what people and elements do with them. */

import { createActions } from "./actions.js";
import { connect } from "../core/connection.js";
import { emitter } from "../core/emitter.js";
import { environment } from "../core/env.js";
import { createFeed } from "./feed.js";
import { renderer } from "../core/render.js";
import { requester } from "../core/request.js";
import { createStore } from "./store.js";
import { titleCounter } from "./title.js";

const LINGER = 5_000; // ms the connection outlives its last holder: elements are moved and swapped
const VERBS = { read: "mark as read", click: "mark as read", unread: "mark as unread", archive: "archive", unarchive: "move back to inbox",
  "read-all": "mark all as read", seen: "mark as seen" };

/** @typedef {ReturnType<typeof createClient>} Client */

/** Called with each new client: what a bundle adds to the core. @type {((client: any) => void)[]} */
export const extensions = [];

/**
 * Make a client for this page; it connects when something holds it, or at `start()`.
 *
 * @param {import("./types.js").Config} config
 */
export function createClient(config) {
  Object.freeze(config);
  const env = environment(config.env);
  const { now, document, setTimeout, clearTimeout } = env;
  const { urls, strings = {} } = config;
  const born = now();
  const store = createStore(config);
  const request = requester(config, env);
  const { on, emit } = emitter();
  const title = document && config.title !== false && titleCounter(document);
  /** @type {Map<string, import("./feed.js").Feed>} */
  const feeds = new Map();
  const holders = new Set();
  /** @type {any} */
  let linger;
  let catching = false;

  const { arrived, changed, stop: stopRendering } = renderer(env, (items, total) => {
    if (title) title(store.counts.unseen);
    if (total) emit("notification", { items, total });
    emit("change");
  }, () => Math.min(...[...feeds.values()].map(({ until }) => until)));

  const apply = (/** @type {any} */ frame) => {
    const { hole, reset, arrivals = [] } = store.apply(frame);
    if (reset) feeds.forEach((feed) => feed.reset());
    if (hole) catchUp();
    arrived(arrivals);
  };

  /** Ask the API. One that does not know the user signs the page out. @param {string} url @param {object} [body] */
  const ask = (url, body) => request(url, body).catch((error) => {
    if (/signed-out|login-page/.test(error.reason)) connection.signOut(error.reason);
    throw error;
  });

  /** Fill a hole: ask for what happened since the cursor, one question at a time. */
  const catchUp = async () => {
    if (catching) return;
    catching = true;
    try {
      const { frames } = await ask(`${urls.changes}?since=${encodeURIComponent(store.cursor)}`);
      for (const frame of frames) if (frame.type !== "heartbeat") apply(frame);
    } catch {
      // The next frame or heartbeat notices the hole again.
    } finally {
      catching = false;
    }
  };

  const connection = connect(config, env, {
    cursor: () => store.cursor,
    onFrame: apply,
    onState(state, before) {
      emit("state", { ...state, from: before.name, to: state.name });
      changed();
    },
    onMessage({ type, version, born: theirs }) {
      if (type === "seen") emit(type);
      if (version !== config.version && theirs > born && !self.outdated) {
        self.outdated = true;
        changed();
      }
    },
  });

  const actions = createActions(store, urls, {
    request: ask, now, changed,
    failed(failure) {
      const key = `couldNot-${failure.action}`.replace(/-./g, (part) => part[1].toUpperCase());
      emit("failure", { ...failure, message: self.text(key, `Could not ${VERBS[failure.action]}.`) });
    },
  });
  const act = (/** @type {import("./actions.js").Action} */ action) =>
    (/** @type {number | Iterable<number>} */ ids) => actions.items(action, ids);

  const self = {
    config,
    env,
    on,

    /** Sound and desktop notifications, in the bundle that has them. */
    alerts: /** @type {import("./alerts.js").Alerts | undefined} */ (undefined),

    /** A page that was loaded later runs another version: a deploy happened. */
    outdated: false,

    /** The connection, as this tab knows it. */
    get state() {
      return connection.state;
    },

    /** Whether this tab holds the connection for the others. */
    get leading() {
      return connection.leading;
    },

    /** The numbers for a badge. */
    get counts() {
      return store.counts;
    },

    /** Want the connection, until the returned function is called. */
    hold(holder = {}) {
      clearTimeout(linger);
      holders.add(holder);
      if (connection.state.reason === "stopped") connection.open();
      return () => {
        if (holders.delete(holder) && !holders.size) linger = setTimeout(self.stop, LINGER);
      };
    },

    /** Connect, and stay connected until `stop()`. */
    start() {
      self.hold(self);
    },

    /** Disconnect, whoever wants the connection. */
    stop() {
      clearTimeout(linger);
      holders.clear();
      connection.close();
    },

    /** Try now, whatever the state. */
    retryNow() {
      if (holders.size) connection.retry();
    },

    /** Stop for good. */
    destroy() {
      self.stop();
      connection.destroy();
      stopRendering();
    },

    /**
     * A list of items; the same object for the same filter.
     *
     * @param {{state?: import("./types.js").Filter, category?: string}} [filter]
     */
    feed({ state = "all", category = "" } = {}) {
      const key = `${state} ${category}`;
      const feed = feeds.get(key) ?? createFeed(store, { state, category }, {
        now, changed,
        fetch: (query) => ask(`${urls.inbox}?${new URLSearchParams(query)}`).catch(() => {
          throw new Error(self.text("couldNotLoad", "Could not load notifications."));
        }),
      });
      feeds.set(key, feed);
      return feed;
    },

    markRead: act("read"), follow: act("click"), // following the link reads too
    markUnread: act("unread"),
    archive: act("archive"),
    unarchive: act("unarchive"),

    /** Mark as read all that had arrived when the user asked for it. */
    markAllRead: () => actions.all("read-all"),

    /** Mark as seen all that had arrived; costs nothing if everything is. */
    async markSeen() {
      if (!store.counts.unseen) return true;
      connection.post("seen");
      return actions.all("seen");
    },

    /** A sentence in the page's language. @param {string} key @param {string} fallback @returns {string} */
    text: (key, fallback) => strings[key] ?? fallback,
  };
  for (const extend of extensions) extend(self);
  return self;
}
