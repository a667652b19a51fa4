/** What every client of a page is: it has the page's configuration, is held by elements, and tells of changes once per frame. */

import { Emitter } from "./emitter.js";
import { environment, storageOf } from "./env.js";
import { Holders } from "./holders.js";
import { localeFor } from "./locale.js";
import { request } from "./request.js";
import { plain } from "./state.js";
import { forget } from "./storage.js";

/**
 * @template {import("./types.js").PageConfig} Config
 * @template {Record<string, any>} Events what each type carries
 * @extends {Emitter<Events>}
 */
export class PageClient extends Emitter {
  #due = false;
  #end = new AbortController();

  /** Aborted when it ends for good: what listens, waits or holds a lock for it ends with it. @internal */
  ended = this.#end.signal;

  /** Whether another user's client has taken its place. @internal */
  replaced = false;

  /** How far the server's clock is ahead of this machine's, in ms. @internal */
  offset = 0;

  /** @internal @param {Config} config */
  constructor(config) {
    super();
    /** What was written into the page. @type {Readonly<Config>} */
    this.config = Object.freeze(config);
    /** @internal */
    this.env = environment(config.env);
    forget(storageOf(this.env), config.site, (user) => user !== config.user); // of who was here before
    /** For numbers and times. @type {string | undefined} @internal */
    this.locale = localeFor(config.language ?? "en");
    /** Who wants the connection. @internal */
    this.holders = new Holders(this.env, () => this.stop());
  }

  /** Want the connection, until the returned function is called. @returns {() => void} */
  hold(holder = {}) {
    const release = this.holders.hold(holder);
    this.open();
    return release;
  }

  /**
   * A sentence in the page's language.
   *
   * @param {string} key
   * @param {string} [fallback] where the page has no such text
   * @returns {string}
   */
  text(key, fallback = key) {
    return this.config.strings?.[key] ?? fallback;
  }

  /** What the server's clock says, in epoch ms. @internal @returns {number} */
  now() {
    return this.env.now() + this.offset;
  }

  /** Show nothing of the user any more, and keep nothing that they wrote: they signed out. @internal */
  forget() {
    const { site, user } = this.config;
    forget(storageOf(this.env), site, (author) => author === user);
    this.changed();
  }

  /** Another user's page has taken this one's place: end, and have the elements find that user's client. @internal */
  replace() {
    this.replaced = true;
    this.destroy();
    this.forget();
  }

  /** End for good. */
  destroy() {
    this.stop();
    this.#end.abort();
  }

  /**
   * Ask the API. One that does not know the user signs the page out; a page to sign in may only stand for maintenance.
   *
   * @internal
   * @param {string} url
   * @param {object} [body]
   * @param {boolean} [leaving] the page may be about to go
   */
  async ask(url, body, leaving) {
    try {
      return await request(this.config, this.env, url, body, leaving);
    } catch (error) {
      const { reason } = /** @type {{reason: string}} */ (error);
      if (/^(signed-out|other-user)$/.test(reason)) this.signOut(reason);
      throw error;
    }
  }

  /** The server does not know the user any more. @internal @param {string} reason */
  signOut(reason) {
    void reason;
  }

  /** Learn the server's clock from a frame that names it. @internal @param {{time?: string, offset?: number}} frame */
  setClock({ time, offset = Date.parse(time ?? "") - this.env.now() }) {
    if (Number.isFinite(offset)) this.offset = offset;
  }

  /**
   * Say what failed, and why: the one place that knows.
   *
   * @internal
   * @param {string} key of the text that says what
   * @param {any} error
   * @returns {string}
   */
  explain(key, { reason, message }) {
    const { name } = this.state;
    let cause = "server";
    if (name === "signed-out" || /signed-out|other-user|login-page/.test(reason)) cause = "signed-out";
    else if (reason === "network") cause = name === "offline" || this.env.isOffline() ? "offline" : reason;
    else if (reason === "timeout") cause = reason;
    else if (message) return `${this.text(key)} ${message}`;
    return `${this.text(key)} ${this.text(`because-${cause}`, "")}`.trim();
  }

  /** The connection. @returns {Readonly<import("./state.js").Snapshot>} */
  get state() {
    return plain("closed", "stopped");
  }

  /** Connect, unless that was tried already. @internal */
  open() {}

  /** Disconnect, whoever wants the connection. @internal */
  stop() {}

  /** Tell what has changed. @internal */
  render() {
    this.emit("change");
  }

  /** Something may look different: render before the next painting, once, however much happens until then. @internal */
  changed() {
    if (this.#due) return;
    this.#due = true;
    this.env.frame(() => {
      this.#due = false;
      this.render();
    });
  }
}
