/** The connection: runs the machine on real timers and transports. */

import { step } from "./machine.js";
import { initial, snapshot } from "./state.js";

/** @typedef {import("./transports/index.js").Session} Session */

const PROTOCOL = 1;

/** Give an ending that a frame speaks of. */
const REASONS = /** @type {Record<string, string>} */ ({ "not-found": "http", "bad-request": "http", invalid: "http" });

export class Link {
  #machine;
  /** @type {any} */
  #timer;
  /** @type {AbortController | undefined} */
  #session;

  /**
   * @param {object} parts
   * @param {Map<string, (session: Session) => void>} parts.transports
   * @param {() => string | null} parts.cursor
   * @param {(frame: any) => void} parts.onFrame
   * @param {(now: import("./state.js").Snapshot, before: import("./state.js").Snapshot) => void} parts.onState
   * @param {import("./env.js").Env} env
   */
  constructor(parts, env) {
    this.parts = parts;
    this.env = env;
    this.#machine = initial([...parts.transports.keys()]);
    this.state = snapshot(this.#machine);
  }

  /** Tell the machine what happened. @param {import("./machine.js").MachineEvent} event */
  send(event) {
    const { now, random, setTimeout, clearTimeout } = this.env;
    const { state, effect } = step(this.#machine, event, { now: now(), random });
    const moved = state.wakeAt !== this.#machine.wakeAt;
    this.#machine = state;
    if (effect.close || effect.open) this.#session?.abort();
    if (moved) {
      clearTimeout(this.#timer);
      if (state.wakeAt !== null) this.#timer = setTimeout(() => this.send({ type: "tick" }), Math.max(0, state.wakeAt - now()));
    }
    const before = this.state;
    const after = snapshot(state);
    if (Object.keys(after).some((key) => after[/** @type {"name"} */ (key)] !== before[/** @type {"name"} */ (key)])) {
      this.state = after;
      this.parts.onState(after, before);
    }
    if (effect.open) this.#open(effect.open);
  }

  /** @param {string} transport */
  #open(transport) {
    const abort = (this.#session = new AbortController());
    const { signal } = abort;
    /** @type {Session["end"]} */
    const end = ({ reason, retry }) => {
      if (signal.aborted) return;
      abort.abort();
      this.send({ type: "ended", reason, retry });
    };
    this.parts.transports.get(transport)?.({
      since: this.parts.cursor,
      signal,
      bytes: () => signal.aborted || this.send({ type: "bytes" }),
      floor: (time) => this.send({ type: "floor", time }),
      end,
      frame: (frame) => {
        if (signal.aborted) return;
        const { type } = frame;
        if (type === "hello" && frame.v !== PROTOCOL) return end({ reason: "version" });
        if (type === "bye") return end(frame);
        if (type === "error") return end({ reason: REASONS[frame.code] ?? frame.code, retry: frame.retry ?? undefined });
        this.parts.onFrame(frame);
        if (type === "hello") this.send({ type: "hello", heartbeat: frame.heartbeat });
      },
    });
  }
}
