/**
 * The tabs of one browser and user: which of them leads, and what they tell each other.
 *
 * All users of a browser share one channel, so that a tab learns when another user has signed in. The lock carries the
 * user's key and the version of this protocol: a tab from before a deploy never leads one from after it.
 */

import { Leader } from "./leader.js";

const PROTOCOL = 1;
const ANSWER = 5_000; // ms for the leader to answer a tab that people look at
const ROUND = 60_000; // ms between such questions

export class Tabs {
  #env;
  #parts;
  #scope;
  /** @type {BroadcastChannel | undefined} */
  #channel;
  /** @type {Leader | undefined} */
  #leader;
  /** @type {any} */
  #timer;
  #answered = false;

  /** Whether this tab is to hold the connection. */
  leading = false;

  /**
   * @param {import("./types.js").Config} config
   * @param {import("./env.js").Env} env
   * @param {object} parts
   * @param {() => void} parts.onLead the lead came or went
   * @param {(message: any) => void} parts.onMessage
   */
  constructor({ user, version, urls }, env, parts) {
    this.#env = env;
    this.#parts = parts;
    this.mark = { protocol: PROTOCOL, user, version, born: env.now() };
    this.#scope = `carillon ${urls.changes}`;
    this.name = `${this.#scope} ${PROTOCOL} ${user}`;
  }

  get visible() {
    return this.#env.document?.visibilityState !== "hidden";
  }

  /** Join the others, and wait for the lead. */
  contend() {
    const { BroadcastChannel, locks } = this.#env;
    if (!this.#channel && BroadcastChannel) {
      this.#channel = new BroadcastChannel(this.#scope);
      this.#channel.onmessage = ({ data }) => this.#hear(data);
    }
    if (locks) {
      this.#leader ??= new Leader(locks, this.name, this.#lead);
      this.#leader.contend();
    } else this.#lead(true); // every tab for itself
    this.look();
  }

  /** Give the lead back and wait no longer; go on listening. */
  release() {
    this.#env.clearTimeout(this.#timer);
    this.#leader?.release();
    this.#lead(false);
  }

  close() {
    this.release();
    this.#channel?.close();
  }

  /** @param {string} type @param {object} [more] */
  post(type, more) {
    this.#channel?.postMessage({ ...this.mark, ...more, type });
  }

  /**
   * Ask the leader how things are. A tab that people look at takes the lead from one that is hidden, whose timers are
   * slow, and from one that does not answer; but not at once, for people switch to and fro.
   */
  look() {
    const { clearTimeout, setTimeout } = this.#env;
    clearTimeout(this.#timer);
    if (this.leading) return;
    this.post("hi");
    if (!this.visible) return;
    this.#answered = false;
    this.#timer = setTimeout(() => {
      if (!this.#answered) this.#leader?.contend(true);
      else this.#timer = setTimeout(() => this.look(), ROUND);
    }, ANSWER);
  }

  #lead = (/** @type {boolean} */ leading) => {
    if (leading === this.leading) return;
    this.leading = leading;
    if (leading) this.#env.clearTimeout(this.#timer);
    this.#parts.onLead();
  };

  /** @param {any} message */
  #hear(message) {
    if (message.type === "state") this.#answered = !message.hidden;
    this.#parts.onMessage(message);
  }
}
