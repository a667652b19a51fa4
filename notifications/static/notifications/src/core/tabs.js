/**
 * The tabs of one browser and user: which of them leads, and what they tell each other.
 *
 * All users of a browser share one channel, so that a tab learns when another user has signed in. The lock carries the
 * user's key and the version of this protocol: a tab from before a deploy never leads one from after it.
 */

import { leader } from "./leader.js";

const PROTOCOL = 1;
const ANSWER = 5_000; // ms for the leader to answer a tab that people look at
const ROUND = 60_000; // ms between such questions

/**
 * @param {import("../inbox/types.js").Config} config
 * @param {import("./env.js").Env} env
 * @param {() => void} onLead the lead came or went
 * @param {(message: any) => void} onMessage
 */
export function tabs({ user, version, urls }, { BroadcastChannel, locks, document, now, setTimeout, clearTimeout }, onLead, onMessage) {
  const mark = { protocol: PROTOCOL, user, version, born: now() };
  const scope = `carillon ${urls.changes}`;
  /** @type {BroadcastChannel | undefined} */
  let channel;
  /** @type {any} */
  let timer;
  let answered = false;

  const lead = (/** @type {boolean} */ leading) => {
    if (leading === self.leading) return;
    self.leading = leading;
    if (leading) clearTimeout(timer);
    onLead();
  };
  const race = locks && leader(locks, `${scope} ${PROTOCOL} ${user}`, lead);

  const self = {
    mark,

    /** Whether this tab is to hold the connection. */
    leading: false,

    /** Whether people look at this tab. */
    get visible() {
      return document?.visibilityState !== "hidden";
    },

    /** Join the others, and wait for the lead. */
    contend() {
      if (!channel && BroadcastChannel) {
        channel = new BroadcastChannel(scope);
        channel.onmessage = ({ data }) => {
          if (data.type === "state") answered = !data.hidden;
          onMessage(data);
        };
      }
      if (race) race.contend();
      else lead(true); // every tab for itself
      self.look();
    },

    /** Give the lead back and wait no longer; go on listening. */
    release() {
      clearTimeout(timer);
      race?.release();
      lead(false);
    },

    /** Give the lead back and hear no more of the others until `contend`: a message to a cached page ends its caching. */
    leave() {
      self.release();
      channel?.close();
      channel = undefined;
    },

    /** @param {string} type @param {object} [more] */
    post(type, more) {
      channel?.postMessage({ ...mark, ...more, type });
    },

    /**
     * Ask the leader how things are. A tab that people look at takes the lead from one that is hidden, whose timers are
     * slow, and from one that does not answer; but not at once, for people switch to and fro.
     */
    look() {
      clearTimeout(timer);
      if (self.leading) return;
      self.post("hi");
      if (!self.visible) return;
      answered = false;
      timer = setTimeout(() => {
        if (!answered) race?.contend(true);
        else timer = setTimeout(self.look, ROUND);
      }, ANSWER);
    },
  };
  return self;
}
