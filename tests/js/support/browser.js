/** A browser without a browser: tabs that share locks and a channel, on a clock that the test moves. */

import { setMaxListeners } from "node:events";
import { setImmediate } from "node:timers";

import { createClient } from "../../../notifications/static/notifications/src/inbox/client.js";
import { Clock } from "./clock.js";
import { WebSocket } from "./socket.js";
import { Target } from "./target.js";

setMaxListeners(50); // an ended client ends more than ten listeners

/** Web Locks as the standard has them: queues, shared locks, stealing, and abort. */
export class Locks {
  held = [];
  queue = [];

  request(name, options, callback) {
    const { mode = "exclusive", steal = false, signal } = options;
    if (steal && signal) throw new DOMException("steal and signal exclude each other", "NotSupportedError");
    return new Promise((resolve, reject) => {
      const request = { name, mode, callback, resolve, reject };
      signal?.addEventListener("abort", () => {
        const index = this.queue.indexOf(request);
        if (index < 0) return;
        this.queue.splice(index, 1);
        reject(signal.reason);
      });
      if (steal) this.queue.unshift(request);
      else this.queue.push(request);
      if (steal) for (const lock of this.held.filter((lock) => lock.name === name)) this.break(lock);
      this.#serve();
    });
  }

  /** Take a lock from its holder, as WebKit does with a cached page's. */
  break(lock) {
    this.held = this.held.filter((other) => other !== lock);
    lock.reject(new DOMException("broken", "AbortError"));
    this.#serve();
  }

  async query() {
    return { held: this.held.map(({ name, mode }) => ({ name, mode })) };
  }

  #serve() {
    for (const request of [...this.queue]) {
      const others = this.held.filter(({ name }) => name === request.name);
      if (others.some(({ mode }) => mode === "exclusive" || request.mode === "exclusive")) continue;
      this.queue.splice(this.queue.indexOf(request), 1);
      this.held.push(request);
      queueMicrotask(async () => {
        try {
          const value = await request.callback({ name: request.name });
          request.resolve(value);
        } catch (error) {
          request.reject(error);
        }
        this.held = this.held.filter((other) => other !== request);
        this.#serve();
      });
    }
  }
}

/** The page around a client: what the browser tells it, and what it shows. */
class Page {
  window = new Target();
  document = Object.assign(new Target(), { visibilityState: "visible", title: "Site", cookie: "" });

  tell(type, target = "window") {
    this[target].dispatchEvent(new Event(type));
  }

  hide() {
    this.document.visibilityState = "hidden";
    this.tell("visibilitychange", "document");
  }

  show() {
    this.document.visibilityState = "visible";
    this.tell("visibilitychange", "document");
  }
}

export class Browser {
  locks = new Locks();
  clock = new Clock();
  channels = new Set();

  constructor(context) {
    this.context = context;
    const { channels } = this;
    this.BroadcastChannel = class {
      constructor(name) {
        this.name = name;
        channels.add(this);
      }

      postMessage(data) {
        const copy = structuredClone(data);
        for (const other of channels) {
          if (other !== this && other.name === this.name)
            queueMicrotask(() => channels.has(other) && other.onmessage?.({ data: structuredClone(copy) }));
        }
      }

      close() {
        channels.delete(this);
      }
    };
  }

  /** Open a page. `env` and everything else override what the server's block would say. */
  tab({ urls, env = {}, hidden = false, ...config }) {
    this.clock.time++; // no two pages are loaded at the same moment
    const page = new Page();
    if (hidden) page.document.visibilityState = "hidden";
    const { clock, locks, BroadcastChannel } = this;
    const client = createClient({
      v: 1,
      user: "alice",
      language: "en",
      urls,
      cursor: "inbox=00000001.0",
      unread: 0,
      unseen: 0,
      version: "1.0",
      strings: { couldNotRead: "Could not mark as read." },
      csrf: { header: "X-CSRFToken", cookie: "csrftoken", token: "from-the-page" },
      ...config,
      env: {
        now: clock.now,
        random: () => 0.5,
        setTimeout: clock.setTimeout,
        clearTimeout: clock.clearTimeout,
        frame: (callback) => setImmediate(callback),
        locks,
        BroadcastChannel,
        WebSocket,
        window: page.window,
        document: page.document,
        ...(typeof env === "function" ? env(clock) : env),
      },
    });
    this.context.after(() => client.destroy());
    const seen = { state: [], notification: [], failure: [], change: [], seen: [] };
    const waiting = new Set();
    const check = () => {
      for (const each of waiting) {
        if (!each.ready()) continue;
        waiting.delete(each);
        each.resolve();
      }
    };
    for (const type of Object.keys(seen)) {
      client.on(type, (event) => {
        seen[type].push(event);
        check();
      });
    }
    /** Until this is so. */
    const until = (ready) => (ready() ? Promise.resolve() : new Promise((resolve) => waiting.add({ ready, resolve })));
    return {
      client,
      page,
      seen,
      until,
      state: (name) => until(() => client.state.name === name),
      told: () => seen.state.map(({ to }) => to),
    };
  }
}
