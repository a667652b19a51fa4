/**
 * How feeds ride on the page's one connection. Every tab tells the others what it wants; the one that leads has the
 * server send it, and each tab takes what is its own out of the frames that all of them get.
 */

import { delay } from "../core/backoff.js";
import { Subscriptions } from "./subscriptions.js";
import { Wishes } from "./wishes.js";

const NAMES = 20; // feeds that one question asks about
const BEGIN = 1_000; // ms for a feed's beginning to come by itself
const OVER = /^(signed-out|closed)$/;

export class Channel {
  #page;
  #url;
  #feeds;
  #wishes;
  #subscriptions;
  /** Feeds of this tab that are behind. @type {Set<import("./feed.js").Feed>} */
  #holes = new Set();
  #failures = 0;
  /** @type {any} */
  #timer;

  /**
   * @param {import("./types.js").PageConnection} page
   * @param {import("./types.js").FeedsConfig} config
   * @param {Map<string, import("./feed.js").Feed>} feeds of this tab, by name
   */
  constructor(page, { urls, csrf }, feeds) {
    const { env, link } = page;
    this.#page = page;
    this.#url = urls.changes;
    this.#feeds = feeds;
    const changed = () => this.#subscriptions.changed();
    this.#wishes = new Wishes(env, (type, more) => link.post(type, more), feeds, changed);
    this.#subscriptions = new Subscriptions(page, csrf ? urls.feeds : "", this.#wishes, (frame) => {
      this.#apply(frame);
      if (env.locks) link.post("frame", { frame });
    });
    const before = { ...link.parts };
    Object.assign(link.parts, {
      cursor: () => [before.cursor(), ...this.#wishes.cursor].filter(Boolean).join(),
      onFrame: (/** @type {any} */ frame) => {
        if (!frame.type.startsWith("feed")) before.onFrame(frame);
        this.#apply(frame);
        if (link.leading) this.#subscriptions.heard(frame);
      },
      onState: (/** @type {any} */ state, /** @type {any} */ last) => {
        before.onState(state, last);
        if (state.name === "paused") this.#wishes.withdraw();
        else if (last.name === "paused") queueMicrotask(() => this.changed()); // the others can be reached by then
        this.#show();
      },
      onMessage: (/** @type {any} */ message) => {
        before.onMessage(message);
        this.#heard(message);
      },
    });
    for (const carrier of link.parts.transports) {
      const [name, open] = carrier;
      carrier[1] = (session) => open(session, this.#subscriptions.query(name));
    }
    this.#wishes.ask();
    this.changed();
  }

  /** This tab wants other feeds than before. */
  changed() {
    this.#wishes.tell();
    if (this.#page.link.leading) {
      const untold = [...this.#feeds.values()].filter(({ status }) => !status);
      this.#learn(this.#subscriptions.known(untold.map(({ name }) => name)));
    }
    this.#subscriptions.changed();
    this.#show();
  }

  /** Ask the server for what a feed is missing. @param {import("./feed.js").Feed} feed */
  fill(feed) {
    this.#holes.add(feed);
    this.#timer ??= this.#page.env.setTimeout(() => this.#ask(), 0);
    this.#show();
  }

  /** @param {any} message of another tab */
  #heard(message) {
    this.#wishes.heard(message);
    if (message.type === "feeds" && this.#page.link.leading && this.#page.env.locks) {
      const known = this.#subscriptions.known(Object.keys(message.feeds));
      if (known.length) this.#page.link.post("feeds-known", { known });
    }
    if (message.type === "feeds-known") this.#learn(message.known);
  }

  /** What the leading tab's connection follows already: its beginning does not come again. @param {string[][]} known */
  #learn(known) {
    for (const [name, state, message, cursor] of known) {
      const feed = this.#feeds.get(name);
      if (!feed) continue;
      this.#apply({ type: "feed.status", feed: name, state, message });
      if (state === "live" && (feed.cursor ? cursor && feed.isBehind(cursor) : !feed.loaded)) this.fill(feed);
    }
  }

  /** @param {any} frame */
  #apply(frame) {
    const { type, feed: name, state, message, head } = frame;
    this.#wishes.moved(frame);
    if (type === "hello") for (const feed of this.#feeds.values()) feed.status = feed.message = "";
    if (type === "heartbeat") {
      for (const part of head.split(",")) {
        const [stream] = part.split("=");
        for (const feed of this.#feeds.values())
          if (feed.cursor.startsWith(`${stream}=`) && feed.isBehind(part)) this.fill(feed);
      }
    }
    const feed = this.#feeds.get(name);
    if (feed && type === "feed.status") {
      Object.assign(feed, { status: state, message });
      if (state === "live") this.#page.env.setTimeout(() => feed.loaded || feed.cursor || this.fill(feed), BEGIN);
    } else if (feed && type.startsWith("feed") && feed.apply(frame)) this.fill(feed);
    this.#show();
  }

  /** Ask for what is missing, one question at a time. */
  async #ask() {
    const asked = [...this.#holes].slice(0, NAMES);
    const query = new URLSearchParams({
      feeds: asked.map(({ name }) => name).join(),
      inbox: "0",
      since: asked
        .map(({ cursor }) => cursor)
        .filter(Boolean)
        .join(),
    });
    let pause = 0;
    try {
      const { frames } = await this.#page.ask(`${this.#url}?${query}`);
      for (const feed of asked) this.#holes.delete(feed);
      for (const frame of frames) {
        if (frame.type !== "heartbeat") this.#apply(frame);
        else for (const feed of asked) feed.loaded ||= !feed.cursor; // nothing was published in it yet
      }
      this.#failures = 0;
    } catch {
      pause = delay(this.#failures++, this.#page.env.random);
    }
    const again = this.#holes.size && !OVER.test(this.#page.link.state.name);
    this.#timer = again ? this.#page.env.setTimeout(() => this.#ask(), pause) : undefined;
    this.#show();
  }

  /** Tell those who follow how their feeds are. */
  #show() {
    const { name, reason } = this.#page.link.state;
    for (const feed of this.#feeds.values()) {
      const { status } = feed;
      const gone = status && status !== "live" ? status : OVER.test(name) && reason !== "stopped" ? reason : "";
      const live = status === "live" && /live|polling/.test(name) && !this.#holes.has(feed);
      feed.wasLive ||= live;
      const told = gone ? "gone" : live ? "live" : feed.wasLive ? "stale" : "connecting";
      if (told === feed.state.name && gone === feed.state.reason) continue;
      feed.state = { name: told, reason: gone, message: feed.message };
      feed.tell("onState", feed.state);
    }
  }
}
