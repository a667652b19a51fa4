/**
 * The connection as this tab has it: its own if it leads, else the leader's. Pages are hidden, cached, frozen and
 * restored; users sign out, and others in.
 */

import { link } from "./link.js";
import { watchPage } from "./page.js";
import { plain } from "./state.js";
import { Tabs } from "./tabs.js";

const HIDDEN = 30_000; // ms after which a hidden tab without Web Locks lets go of a connection that others may need

/** @typedef {import("./state.js").Snapshot} Snapshot */
/** @typedef {import("./state.js").Name} Name */

/**
 * @typedef {object} Parts
 * @property {string} name of what the tabs share
 * @property {[string, (session: import("./types.js").Session, query?: string) => void][]} transports in order of preference
 * @property {() => string} cursor
 * @property {() => number} offset ms that the server's clock is ahead
 * @property {(frame: any) => void} onFrame
 * @property {(state: Snapshot, before: Snapshot) => void} onState
 * @property {(message: {type: string, version: string, born: number}) => void} onMessage from a tab of this user
 */

export class Connection {
  #env;
  #tabs;
  /** What the link says, if this tab leads. @type {Snapshot} */
  #own = plain("closed", "stopped");
  /** @type {any} */
  #hiding;

  /** What this tab says of the connection. */
  state = plain("closed", "stopped");

  /**
   * @param {import("./types.js").PageConfig} config
   * @param {import("./env.js").Env} env
   * @param {AbortSignal} ended its client is
   * @param {Parts} parts
   */
  constructor(config, env, ended, parts) {
    this.#env = env;
    /** What the connection carries, and who is told: what else rides on it takes the place of these, and calls them. */
    this.parts = parts;
    this.#tabs = new Tabs(
      config,
      parts.name,
      env,
      () => this.#lead(),
      (message) => this.#heard(message),
    );
    /** Tell the machine what happened. @type {(event: import("./machine.js").Event) => void} */
    this.send = link(env, {
      ...parts,
      cursor: () => parts.cursor(),
      onState: (next) => {
        this.#own = next;
        if (this.leading) this.#tell();
      },
      onFrame: (frame) => {
        /** What the server calls the connection of this tab; who opens another one forgets it. @type {string | undefined} */
        this.name = frame.connection ?? this.name;
        parts.onFrame(frame);
        if (this.#tabs.shared) this.post("frame", { frame });
      },
    });
    watchPage(env, ended, {
      suspend: () => this.#suspend(),
      awaken: () => this.#awaken(),
      network: ({ type }) => this.send({ type }),
      visibility: () => this.#seen(),
    });
    ended.addEventListener("abort", () => {
      env.clearTimeout(this.#hiding);
      this.#tabs.leave();
    });
  }

  get leading() {
    return this.#tabs.leading;
  }

  /** Tell the other tabs. @param {string} type @param {object} [more] */
  post(type, more) {
    this.#tabs.post(type, more);
  }

  open() {
    this.#show({ ...plain("connecting", "start"), troubledSince: this.#env.now() });
    if (this.#env.isOffline()) this.send({ type: "offline" });
    this.#tabs.contend();
  }

  close() {
    this.#rest("closed", "stopped");
  }

  /** Try now; any tab may ask. */
  retry() {
    if (!this.#awake) this.open();
    else if (this.leading) this.send({ type: "retry" });
    else this.post("retry");
  }

  /** The server does not know the user any more. @param {string} reason */
  signOut(reason) {
    if (!this.#awake) return;
    this.post("signed-out", { reason });
    this.#rest("signed-out", reason); // gives the lead back: a page that signs in again leads
  }

  /** Neither closed, nor signed out, nor paused on purpose. */
  get #awake() {
    return this.state.transport || !/closed|signed-out|paused/.test(this.state.name);
  }

  /** @param {Snapshot} next */
  #show(next) {
    const before = this.state;
    this.state = Object.freeze(next);
    if (JSON.stringify(next) !== JSON.stringify(before)) this.parts.onState(next, before);
  }

  /** The leader's word on the connection, for this tab and the others. */
  #tell() {
    const { name, reason } = this.#own;
    if (name === "signed-out" && reason !== "login-page") return this.signOut(reason);
    const { cursor, offset } = this.parts;
    this.post("state", { state: this.#own, cursor: cursor(), offset: offset(), hidden: !this.#tabs.visible });
    this.#show(this.#own);
  }

  /** The lead came or went. */
  #lead() {
    const name = this.state.name === "paused" ? "paused" : "closed";
    this.send(this.leading ? { type: "start" } : { type: "rest", name, reason: "" });
  }

  /** Another tab told something. @param {any} message */
  #heard(message) {
    const { type, user, language, protocol, born, frame, state: theirs, cursor: head, offset, reason } = message;
    const { mark } = this.#tabs;
    const { onFrame, onMessage } = this.parts;
    if (user !== mark.user) {
      if (born > mark.born && this.#awake) this.#rest("signed-out", "other-user");
      return;
    }
    onMessage(message);
    if (type === "signed-out" && this.#awake) this.#rest(type, reason);
    if (protocol !== mark.protocol || language !== mark.language) return;
    if (this.leading) {
      if (type === "hi") this.#tell();
      if (type === "retry") this.send(message);
    } else if (this.#awake) {
      if (type === "frame") onFrame(frame);
      if (type === "state") {
        this.#show(theirs);
        onFrame({ type: "heartbeat", head, offset });
      }
    } else if (this.state.name === "signed-out" && type === "state" && /live|polling/.test(theirs.name)) {
      this.open(); // in again
    }
  }

  /** @param {Name} name @param {string} reason */
  #rest(name, reason) {
    this.#show(plain(name, reason));
    this.#tabs.release();
  }

  #suspend() {
    if (!this.#awake) return;
    this.#show(plain("paused", "hidden"));
    this.#tabs.leave();
  }

  #awaken() {
    if (this.state.name === "paused") this.open();
    else this.send({ type: "wake" });
  }

  /** People look at this tab, or away from it. */
  #seen() {
    const { setTimeout, clearTimeout } = this.#env;
    clearTimeout(this.#hiding);
    if (this.#tabs.visible) this.#awaken();
    else if (!this.#tabs.shared) this.#hiding = setTimeout(() => this.#suspend(), HIDDEN);
    if (this.leading) this.#tell();
    else if (this.#awake) this.#tabs.look();
  }
}
