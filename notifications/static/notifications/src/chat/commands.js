/** Commands on their way: each gets exactly one answer, or is rejected when the connection is lost. */

const PATIENCE = 10_000; // ms of silence after a command: the connection is lost, whatever TCP believes
const LONGEST = 60_000; // ms for an answer on a connection that is otherwise alive

/** @typedef {{resolve: (ack: any) => void, reject: (error: Error) => void, timer: any}} Call */
/** @typedef {{write: (command: object) => void, end: (ending: {reason: string}) => void}} Socket */

/** A nack, or no answer (`reason: "network"`). */
export class CommandError extends Error {
  /** @param {string} reason @param {string} [message] @param {number | null} [retry] ms; null: repeating is of no use */
  constructor(reason, message, retry = 0) {
    super(message);
    this.reason = reason;
    this.retry = retry;
  }
}

export class Commands {
  /** @type {Map<number, Call>} */
  #pending = new Map();
  #ref = 0;
  #heardAt = 0;
  /** @type {Socket | null} */
  #socket = null;
  #ready = false;
  #env;

  /** @param {import("../core/env.js").Env} env */
  constructor(env) {
    this.#env = env;
  }

  /** @param {Socket} socket it takes commands from its `hello` on */
  open(socket) {
    this.#socket = socket;
    this.#ready = false;
  }

  ready() {
    this.#ready = true;
  }

  /** A sign of life. */
  heard() {
    this.#heardAt = this.#env.now();
  }

  /** @param {{type: string}} command @returns {Promise<any>} */
  call(command) {
    return new Promise((resolve, reject) => {
      if (!this.#socket || !this.#ready) return reject(new CommandError("network"));
      const ref = ++this.#ref;
      this.#pending.set(ref, { resolve, reject, timer: this.#expect(ref, this.#env.now()) });
      this.#socket.write({ ...command, ref });
    });
  }

  /** @param {any} frame of type `ack` or `nack` */
  answer(frame) {
    const call = this.#pending.get(frame.ref);
    if (!call) return;
    this.#pending.delete(frame.ref);
    this.#env.clearTimeout(call.timer);
    if (frame.type === "ack") call.resolve(frame);
    else call.reject(new CommandError(frame.code, frame.message, frame.retry ?? null));
  }

  /** The connection is lost: what is unanswered may have been done, or not. */
  lost() {
    this.#ready = false;
    const calls = [...this.#pending.values()];
    this.#pending.clear();
    for (const { reject, timer } of calls) {
      this.#env.clearTimeout(timer);
      reject(new CommandError("network"));
    }
  }

  /** Give up a connection that takes commands and says nothing. @param {number} ref @param {number} since epoch ms */
  #expect(ref, since) {
    return this.#env.setTimeout(() => {
      const call = this.#pending.get(ref);
      const now = this.#env.now();
      if (!call) return;
      if (now - this.#heardAt < PATIENCE && now - since < LONGEST) call.timer = this.#expect(ref, since);
      else this.#socket?.end({ reason: "timeout" });
    }, PATIENCE);
  }
}
