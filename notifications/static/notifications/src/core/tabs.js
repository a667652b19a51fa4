/**
 * The tabs of one browser, user and language: which of them leads, and what they tell each other.
 *
 * All users of a browser share one channel, so that a tab learns when another user has signed in. The lock carries the
 * user's key, their language and the version of this protocol: a tab from before a deploy never leads one from after it,
 * and none hears in another language than its own.
 */

import { attempt, isVisible, openChannel } from "./browser.js";
import { Leader } from "./leader.js";

const PROTOCOL = 1;
const ANSWER = 5_000; // ms for the leader to answer a tab that people look at
const ROUND = 60_000; // ms between such questions

export class Tabs {
  #env;
  #scope;
  #onMessage;
  #leader;
  /** @type {BroadcastChannel | undefined} */
  #channel;
  /** @type {any} */
  #timer;
  #answered = false;
  /** Whether any other tab was ever heard. */
  #heard = false;

  /**
   * @param {import("./types.js").PageConfig} config
   * @param {string} name what the tabs share
   * @param {import("./env.js").Env} env
   * @param {() => void} onLead the lead came or went
   * @param {(message: any) => void} onMessage
   */
  constructor({ user, version, language }, name, env, onLead, onMessage) {
    this.#env = env;
    this.#scope = `carillon ${name}`;
    this.#onMessage = onMessage;
    /** What every message of this tab carries. */
    this.mark = { protocol: PROTOCOL, user, language, version, born: env.now() };
    const lead = (/** @type {boolean} */ leading) => {
      if (leading) env.clearTimeout(this.#timer);
      onLead();
    };
    this.#leader = new Leader(env.locks, `${this.#scope} ${PROTOCOL} ${user} ${language}`, lead, () => !this.#heard);
  }

  /** Whether this tab is to hold the connection. */
  get leading() {
    return this.#leader.leading;
  }

  /** Whether people look at this tab. */
  get visible() {
    return isVisible(this.#env.document);
  }

  /** Whether a connection can be shared: there are locks, and a channel that carries what they protect. */
  get shared() {
    return !!this.#env.locks && !!this.#channel;
  }

  /** Join the others, and wait for the lead. */
  contend() {
    this.#channel ??= openChannel(this.#env.BroadcastChannel, this.#scope, (data) => {
      this.#heard = true;
      if (data.type === "state" && data.language === this.mark.language) this.#answered = !data.hidden;
      this.#onMessage(data);
    });
    if (!this.#channel) return this.#leader.alone();
    this.#leader.contend();
    this.look();
  }

  /** Give the lead back and wait no longer; go on listening. */
  release() {
    this.#env.clearTimeout(this.#timer);
    this.#leader.release();
  }

  /** Give the lead back and hear no more of the others until `contend`: a message to a cached page ends its caching. */
  leave() {
    this.release();
    attempt(() => this.#channel?.close());
    this.#channel = undefined;
  }

  /**
   * Tell the other tabs.
   *
   * @param {string} type
   * @param {object} [more]
   */
  post(type, more) {
    attempt(() => this.#channel?.postMessage({ ...this.mark, ...more, type }));
  }

  /**
   * Ask the leader how things are. A tab that people look at takes the lead from one that is hidden, whose timers are
   * slow, and from one that does not answer; but not at once, for people switch to and fro.
   */
  look() {
    const { setTimeout, clearTimeout } = this.#env;
    clearTimeout(this.#timer);
    if (this.leading) return;
    this.post("hi");
    if (!this.visible) return;
    this.#answered = false;
    this.#timer = setTimeout(() => {
      if (this.#answered) {
        this.#timer = setTimeout(() => this.look(), ROUND);
        return;
      }
      this.#timer = setTimeout(() => this.#leader.alone(), ANSWER); // a lock that never comes is none
      this.#leader.contend(true);
    }, ANSWER);
  }
}
