/**
 * The connection as this tab has it: its own if it leads, else the leader's. Pages are hidden, cached, frozen and
 * restored; users sign out, and others in.
 */

import { Link } from "./link.js";
import { watchPage } from "./page.js";
import { Tabs } from "./tabs.js";
import { transports } from "./transports/index.js";

const HIDDEN = 30_000; // ms after which a hidden tab without Web Locks lets go of a connection that others may need

/** @typedef {import("./state.js").Snapshot} Snapshot */
/** @typedef {import("./state.js").Name} Name */

/** @param {Name} name @param {string} reason @returns {Snapshot} */
const plain = (name, reason) => ({ name, reason, attempt: 0, nextTryAt: null, troubledSince: null, transport: "" });

export class Connection {
  #env;
  #parts;
  #user;
  #link;
  #tabs;
  #unwatch;
  /** @type {any} */
  #hiding;

  /** What this tab says of itself. @type {Snapshot} */
  state = plain("closed", "stopped");

  /**
   * @param {import("./types.js").Config} config
   * @param {import("./env.js").Env} env
   * @param {object} parts
   * @param {() => string} parts.cursor
   * @param {(frame: any) => void} parts.onFrame
   * @param {(state: Snapshot, before: Snapshot) => void} parts.onState
   * @param {(message: {type: string, version: string, born: number}) => void} parts.onMessage from a tab of this user
   */
  constructor(config, env, parts) {
    this.#env = env;
    this.#parts = parts;
    this.#user = config.user;
    this.#tabs = new Tabs(config, env, {
      onLead: () => this.#link.send(this.leading ? { type: "start" } : { type: "rest", name: this.#resting, reason: "" }),
      onMessage: (message) => this.#hear(message),
    });
    this.#link = new Link(env, {
      transports: transports(config.urls, env),
      cursor: parts.cursor,
      onState: () => this.leading && this.#tell(),
      onFrame: (frame) => {
        parts.onFrame(frame);
        if (env.locks) this.post("frame", { frame });
      },
    });
    this.#unwatch = watchPage(env, {
      suspend: () => this.#suspend(),
      awaken: () => this.#awaken(),
      visibility: () => {
        env.clearTimeout(this.#hiding);
        if (this.#tabs.visible) this.#awaken();
        else if (!env.locks) this.#hiding = env.setTimeout(() => this.#suspend(), HIDDEN);
        if (this.leading) this.#tell();
        else if (this.#awake) this.#tabs.look();
      },
      online: (type) => this.#link.send({ type }),
    });
  }

  get leading() {
    return this.#tabs.leading;
  }

  /** Neither closed, nor signed out, nor paused on purpose. */
  get #awake() {
    return !/closed|signed-out|paused/.test(this.state.name) || this.state.transport;
  }

  /** @returns {"paused" | "closed"} */
  get #resting() {
    return this.state.name === "paused" ? "paused" : "closed";
  }

  open() {
    this.#show({ ...plain("connecting", "start"), troubledSince: this.#env.now() });
    this.#tabs.contend();
  }

  close() {
    this.#rest("closed", "stopped");
  }

  destroy() {
    this.close();
    this.#tabs.close();
    this.#unwatch();
  }

  /** Try now; any tab may ask. */
  retry() {
    if (!this.#awake) this.open();
    else if (this.leading) this.#link.send({ type: "retry" });
    else this.post("retry");
  }

  /** The server does not know the user any more. @param {string} reason */
  signOut(reason) {
    if (!this.#awake) return;
    this.post("signed-out", { reason });
    this.#rest("signed-out", reason); // gives the lead back: a page that signs in again leads
  }

  /** @param {string} type @param {object} [more] */
  post(type, more) {
    this.#tabs.post(type, more);
  }

  /** @param {Name} name @param {string} reason */
  #rest(name, reason) {
    this.#show(plain(name, reason));
    this.#tabs.release();
  }

  #suspend() {
    if (this.#awake) this.#rest("paused", "hidden");
  }

  #awaken() {
    if (this.state.name === "paused") this.open();
    else this.#link.send({ type: "wake" });
  }

  /** The leader's word on the connection, for this tab and the others. */
  #tell() {
    const { state } = this.#link;
    if (state.name === "signed-out") return this.signOut(state.reason);
    this.post("state", { state, cursor: this.#parts.cursor(), hidden: !this.#tabs.visible });
    this.#show(state);
  }

  /** @param {any} message */
  #hear(message) {
    const { type, user, protocol, born, frame, state, cursor, reason } = message;
    const { mark } = this.#tabs;
    if (user !== this.#user) {
      if (born > mark.born && this.#awake) this.#rest("signed-out", "other-user");
      return;
    }
    this.#parts.onMessage(message);
    if (type === "signed-out" && this.#awake) this.#rest("signed-out", reason);
    if (protocol !== mark.protocol) return;
    if (this.leading) {
      if (type === "hi") this.#tell();
      if (type === "retry") this.retry();
    } else if (this.#awake) {
      if (type === "frame") this.#parts.onFrame(frame);
      if (type === "state") {
        this.#show(state);
        this.#parts.onFrame({ type: "heartbeat", head: cursor });
      }
    } else if (this.state.name === "signed-out" && type === "state" && /live|polling/.test(state.name)) this.open(); // in again
  }

  /** @param {Snapshot} next */
  #show(next) {
    const before = this.state;
    this.state = Object.freeze(next);
    if (JSON.stringify(next) !== JSON.stringify(before)) this.#parts.onState(next, before);
  }
}
