/** A handle on a feed that is followed: close it, or read the events one after the other. */

const LIMIT = 1_000; // events that wait for a slow reader; then it goes on with those that are present

/** @typedef {import("./types.js").FeedEvent} FeedEvent */

export class Follower {
  #feed;
  #handlers;
  #onClose;
  #closed = false;
  /** @type {FeedEvent[]} */
  #waiting = [];
  #wake = () => {};

  /**
   * @internal
   * @param {import("./feed.js").Feed} feed
   * @param {import("./types.js").Handlers} handlers
   * @param {() => void} onClose
   */
  constructor(feed, handlers, onClose) {
    this.#feed = feed;
    this.#handlers = handlers;
    this.#onClose = onClose;
    queueMicrotask(() => this.#closed || handlers.onState?.(feed.state));
  }

  /** The feed's name. */
  get name() {
    return this.#feed.name;
  }

  /** How the feed is. @returns {import("./types.js").FeedState} */
  get state() {
    return this.#feed.state;
  }

  /** The present events, oldest first: of a log the newest, else the latest of each key. @returns {FeedEvent[]} */
  get events() {
    return this.#feed.events;
  }

  /** Follow it no longer. */
  close() {
    this.#closed = true;
    this.#wake();
    this.#onClose();
  }

  /**
   * The present events, and then each that comes, until the handle is closed, the loop is left or the feed is gone.
   *
   * @returns {AsyncGenerator<FeedEvent, void, void>}
   */
  async *[Symbol.asyncIterator]() {
    const handlers = this.#handlers;
    const { onEvent, onReset, onState } = handlers;
    handlers.onEvent = (event) => {
      onEvent?.(event);
      if (this.#waiting.push(event) > LIMIT) this.#waiting = this.#feed.events;
      this.#wake();
    };
    handlers.onReset = (events, reason) => {
      onReset?.(events, reason);
      this.#waiting = [...events];
      this.#wake();
    };
    handlers.onState = (state) => {
      onState?.(state);
      this.#wake();
    };
    try {
      for (;;) {
        const event = this.#waiting.shift();
        if (event) yield event;
        else if (this.#closed || this.state.name === "gone") return;
        else
          await new Promise((resolve) => {
            this.#wake = () => resolve(0);
          });
      }
    } finally {
      this.close();
    }
  }
}
