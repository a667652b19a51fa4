/** The wire: runs the machine on real timers and transports. */

import { step } from "./machine.js";
import { initial, isFine } from "./state.js";

/** @typedef {import("./transports/index.js").Session} Session */

const PROTOCOL = 1;

export class Link {
  #env;
  #parts;
  #machine;
  #names;
  /** @type {any} */
  #timer;
  /** @type {AbortController | undefined} */
  #session;

  /**
   * @param {import("./env.js").Env} env
   * @param {object} parts
   * @param {Map<string, (session: Session) => void>} parts.transports
   * @param {() => string} parts.cursor
   * @param {(frame: any) => void} parts.onFrame
   * @param {() => void} parts.onState
   */
  constructor(env, parts) {
    this.#env = env;
    this.#parts = parts;
    this.#names = [...parts.transports.keys()];
    this.#machine = initial(this.#names);
  }

  /** @returns {import("./state.js").Snapshot} */
  get state() {
    const { name, reason, attempt, nextTryAt, troubledSince, index } = this.#machine;
    return { name, reason, attempt: isFine(this.#machine) ? 0 : attempt, nextTryAt, troubledSince, transport: this.#names[index] };
  }

  /** Tell the machine what happened. @param {import("./machine.js").Event} event */
  send(event) {
    const { now, random, setTimeout, clearTimeout } = this.#env;
    const { state, effect } = step(this.#machine, event, { now: now(), random });
    if (effect) this.#session?.abort();
    if (state.wakeAt !== this.#machine.wakeAt || event.type === "tick") {
      clearTimeout(this.#timer); // a timer may come a part of a millisecond early: then it is set again
      if (state.wakeAt !== null) this.#timer = setTimeout(() => this.send({ type: "tick" }), Math.ceil(state.wakeAt - now()));
    }
    this.#machine = state;
    this.#parts.onState();
    if (effect === "open" && this.#machine === state) this.#open();
  }

  #open() {
    const abort = (this.#session = new AbortController());
    const { signal } = abort;
    /** @type {Session["end"]} */
    const end = ({ reason, retry }) => {
      if (signal.aborted) return;
      abort.abort();
      this.send({ type: "ended", reason, retry });
    };
    this.#parts.transports.get(this.#names[this.#machine.index])?.({
      signal,
      end,
      since: this.#parts.cursor,
      bytes: () => signal.aborted || this.send({ type: "bytes" }),
      floor: (time) => this.send({ type: "floor", time }),
      frame: (frame) => {
        if (signal.aborted) return;
        const { type, v, code, retry, heartbeat } = frame;
        if (type === "hello" && v !== PROTOCOL) end({ reason: "version" });
        else if (type === "bye") end(frame);
        else if (type === "error") end({ reason: code, retry: retry ?? undefined });
        else {
          this.#parts.onFrame(frame);
          if (type === "hello") this.send({ type, heartbeat });
        }
      },
    });
  }
}
