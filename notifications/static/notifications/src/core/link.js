/** The wire: runs the machine on real timers and transports. */

import { step } from "./machine.js";
import { initial, isFine } from "./state.js";

/** @typedef {import("./types.js").Session} Session */

const PROTOCOL = 1;

/**
 * @param {import("./env.js").Env} env
 * @param {object} parts
 * @param {[string, (session: Session) => void][]} parts.transports in order of preference
 * @param {() => string} parts.cursor
 * @param {(frame: any) => void} parts.onFrame
 * @param {(state: import("./state.js").Snapshot) => void} parts.onState
 * @returns {(event: import("./machine.js").Event) => void} tell the machine what happened
 */
export function link({ now, random, setTimeout, clearTimeout }, { transports, cursor, onFrame, onState }) {
  let machine = initial(transports.map(([name]) => name));
  /** @type {any} */
  let timer;
  /** @type {AbortController | undefined} */
  let session;

  const send = (/** @type {import("./machine.js").Event} */ event) => {
    const { state, effect } = step(machine, event, { now: now(), random });
    const { wakeAt, name, reason, attempt, nextTryAt, troubledSince, index } = state;
    if (effect) session?.abort();
    if (wakeAt !== machine.wakeAt || event.type === "tick") {
      clearTimeout(timer); // a timer may come a part of a millisecond early: then it is set again
      if (wakeAt !== null) timer = setTimeout(() => send({ type: "tick" }), Math.ceil(wakeAt - now()));
    }
    machine = state;
    onState({
      name,
      reason,
      attempt: isFine(state) ? 0 : attempt,
      nextTryAt,
      troubledSince,
      transport: transports[index][0],
    });
    if (effect === "open" && machine === state) open(transports[index][1]);
  };

  /** @param {(session: Session) => void} transport */
  const open = (transport) => {
    const abort = new AbortController();
    const { signal } = abort;
    session = abort;
    /** @type {Session["end"]} */
    const end = ({ reason, retry }) => {
      if (signal.aborted) return;
      abort.abort();
      send({ type: "ended", reason, retry });
    };
    transport({
      signal,
      end,
      since: cursor,
      bytes: () => signal.aborted || send({ type: "bytes" }),
      floor: (time) => send({ type: "floor", time }),
      frame(frame) {
        if (signal.aborted) return;
        const { type, v, code, retry, heartbeat } = frame;
        if (type === "hello" && v !== PROTOCOL) end({ reason: "version" });
        else if (type === "bye") end(frame);
        else if (type === "error") end({ reason: code, retry: retry ?? undefined });
        else {
          onFrame(frame);
          if (type === "hello") send({ type, heartbeat });
        }
      },
    });
  };

  return send;
}
