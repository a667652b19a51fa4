/**
 * The connection as this tab has it: its own if it leads, else the leader's. Pages are hidden, cached, frozen and
 * restored; users sign out, and others in.
 */

import { link } from "./link.js";
import { watchPage } from "./page.js";
import { tabs } from "./tabs.js";
import { transports } from "./transports/index.js";

const HIDDEN = 30_000; // ms after which a hidden tab without Web Locks lets go of a connection that others may need

/** @typedef {import("./state.js").Snapshot} Snapshot */
/** @typedef {import("./state.js").Name} Name */

/** @param {Name} name @param {string} reason @returns {Snapshot} */
const plain = (name, reason) => ({ name, reason, attempt: 0, nextTryAt: null, troubledSince: null, transport: "" });

/**
 * @param {import("../inbox/types.js").Config} config
 * @param {import("./env.js").Env} env
 * @param {object} parts
 * @param {() => string} parts.cursor
 * @param {(frame: any) => void} parts.onFrame
 * @param {(state: Snapshot, before: Snapshot) => void} parts.onState
 * @param {(message: {type: string, version: string, born: number}) => void} parts.onMessage from a tab of this user
 */
export function connect(config, env, { cursor, onFrame, onState, onMessage }) {
  const { locks, now, setTimeout, clearTimeout } = env;
  /** What this tab says of the connection. */
  let state = plain("closed", "stopped");
  /** What the link says, if this tab leads. @type {Snapshot} */
  let own;
  /** @type {any} */
  let hiding;

  /** Neither closed, nor signed out, nor paused on purpose. */
  const awake = () => state.transport || !/closed|signed-out|paused/.test(state.name);

  const show = (/** @type {Snapshot} */ next) => {
    const before = state;
    state = Object.freeze(next);
    if (JSON.stringify(next) !== JSON.stringify(before)) onState(next, before);
  };

  /** The leader's word on the connection, for this tab and the others. */
  const tell = () => {
    if (own.name === "signed-out") return self.signOut(own.reason);
    crowd.post("state", { state: own, cursor: cursor(), hidden: !crowd.visible });
    show(own);
  };

  const rest = (/** @type {Name} */ name, /** @type {string} */ reason) => {
    show(plain(name, reason));
    crowd.release();
  };
  const suspend = () => {
    if (!awake()) return;
    show(plain("paused", "hidden"));
    crowd.leave();
  };
  const awaken = () => (state.name === "paused" ? self.open() : send({ type: "wake" }));

  const crowd = tabs(config, env, () => {
    send(crowd.leading ? { type: "start" } : { type: "rest", name: state.name === "paused" ? "paused" : "closed", reason: "" });
  }, (message) => {
    const { mark, leading } = crowd;
    const { type, user, protocol, born, frame, state: theirs, cursor: head, reason } = message;
    if (user !== config.user) {
      if (born > mark.born && awake()) rest("signed-out", "other-user");
      return;
    }
    onMessage(message);
    if (type === "signed-out" && awake()) rest(type, reason);
    if (protocol !== mark.protocol) return;
    if (leading) {
      if (type === "hi") tell();
      if (type === "retry") send(message);
    } else if (awake()) {
      if (type === "frame") onFrame(frame);
      if (type === "state") {
        show(theirs);
        onFrame({ type: "heartbeat", head });
      }
    } else if (state.name === "signed-out" && type === "state" && /live|polling/.test(theirs.name)) self.open(); // in again
  });

  const send = link(env, {
    transports: transports(config, env),
    cursor,
    onState(next) {
      own = next;
      if (crowd.leading) tell();
    },
    onFrame(frame) {
      onFrame(frame);
      if (locks) crowd.post("frame", { frame });
    },
  });

  const unwatch = watchPage(env, {
    suspend,
    awaken,
    network: (type) => send({ type }),
    visibility() {
      clearTimeout(hiding);
      if (crowd.visible) awaken();
      else if (!locks) hiding = setTimeout(suspend, HIDDEN);
      if (crowd.leading) tell();
      else if (awake()) crowd.look();
    },
  });

  const self = {
    get state() {
      return state;
    },
    get leading() {
      return crowd.leading;
    },
    post: crowd.post,
    open() {
      show({ ...plain("connecting", "start"), troubledSince: now() });
      crowd.contend();
    },
    close() {
      rest("closed", "stopped");
    },
    destroy() {
      crowd.leave();
      unwatch();
    },
    /** Try now; any tab may ask. */
    retry() {
      if (!awake()) self.open();
      else if (crowd.leading) send({ type: "retry" });
      else crowd.post("retry");
    },
    /** The server does not know the user any more. @param {string} reason */
    signOut(reason) {
      if (!awake()) return;
      crowd.post("signed-out", { reason });
      rest("signed-out", reason); // gives the lead back: a page that signs in again leads
    },
  };
  return self;
}
