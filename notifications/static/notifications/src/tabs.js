/**
 * The tabs of one browser and user: who holds the connection, and what they tell each other.
 *
 * All users of a browser share one channel, so that a tab learns when another user has signed in. The lock carries the
 * user's key and the version of this protocol: a tab from before a deploy never leads one from after it.
 */

import { Leader } from "./leader.js";

const PROTOCOL = 1;
const ANSWER = 5_000; // ms for the leader to answer a tab that people look at
const ROUND = 60_000; // ms between such questions

/** @typedef {{type: string, [key: string]: any}} Message */

export class Tabs {
  /** @type {BroadcastChannel | undefined} */
  #channel;
  /** @type {Leader | undefined} */
  #leader;
  /** @type {(() => void) | undefined} */
  #unseen;
  /** @type {any} */
  #timer;
  #answered = false;

  /** @type {boolean} whether this tab should hold the connection */
  leading = false;

  /**
   * @param {import("./types.js").Config} config
   * @param {import("./env.js").Env} env
   * @param {object} parts
   * @param {(leading: boolean) => void} parts.onLead
   * @param {(message: Message) => void} parts.onMessage from a tab of the same user
   * @param {(newer: boolean) => void} parts.onOtherUser a tab of another user spoke; `newer` if it was loaded later
   */
  constructor(config, env, parts) {
    this.env = env;
    this.parts = parts;
    this.born = env.now();
    this.mark = { v: PROTOCOL, user: config.user, version: config.version, born: this.born };
    this.name = `carillon ${PROTOCOL} ${config.user} ${config.urls.changes}`;
    this.scope = `carillon ${config.urls.changes}`;
  }

  /** @param {boolean} leading */
  #lead = (leading) => {
    this.leading = leading;
    this.parts.onLead(leading);
    this.look();
  };

  get visible() {
    return this.env.document?.visibilityState === "visible";
  }

  /** Join the others, and wait for the lead. */
  contend() {
    const { BroadcastChannel, locks } = this.env;
    if (!this.#channel && BroadcastChannel) {
      this.#channel = new BroadcastChannel(this.scope);
      this.#channel.onmessage = ({ data }) => this.#hear(data);
    }
    if (locks) {
      this.#leader ??= new Leader(locks, this.name, this.#lead);
      this.#leader.contend();
    } else if (!this.leading) this.#lead(true);
    if (!this.leading) this.post("hi");
    this.look();
  }

  /** Give the lead back and wait no longer; go on listening. */
  release() {
    this.env.clearTimeout(this.#timer);
    this.#unseen?.();
    this.#unseen = undefined;
    this.#leader?.release();
    if (!this.#leader && this.leading) this.#lead(false);
  }

  close() {
    this.release();
    this.#channel?.close();
    this.#channel = undefined;
  }

  /** @param {string} type @param {object} [more] */
  post(type, more) {
    this.#channel?.postMessage({ ...this.mark, ...more, type });
  }

  /**
   * See to it that someone leads who can: a tab that people look at takes the lead from a hidden one (whose timers
   * are slow) and from one that does not answer. Switching to and fro quickly changes nothing.
   */
  look() {
    const { locks, clearTimeout, setTimeout } = this.env;
    clearTimeout(this.#timer);
    if (this.visible && locks && !this.#unseen) {
      this.#unseen = () => {};
      locks.request(`${this.name} visible`, { mode: "shared" }, () => this.#unseen && new Promise((resolve) => (this.#unseen = () => resolve(null))))
        .catch(() => {});
    } else if (!this.visible) {
      this.#unseen?.();
      this.#unseen = undefined;
    }
    if (!this.visible || this.leading || !this.#leader) return;
    this.#answered = false;
    this.post("hi");
    this.#timer = setTimeout(() => {
      if (!this.#answered) return this.#leader?.contend(true);
      this.#timer = setTimeout(() => this.look(), ROUND);
    }, ANSWER);
  }

  /** Whether people look at any tab of this user: alerts are for those who do not. */
  async anyVisible() {
    if (this.visible) return true;
    const { held } = (await this.env.locks?.query()) ?? {};
    return !!held?.some(({ name }) => name === `${this.name} visible`);
  }

  /** @param {any} message */
  #hear(message) {
    const { user, v, type, hidden, born } = message;
    if (user !== this.mark.user) return this.parts.onOtherUser(born > this.born);
    if (type === "state" && !hidden) this.#answered = true;
    if (v === PROTOCOL || type === "signed-out") this.parts.onMessage(message);
  }
}
