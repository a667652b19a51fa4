/**
 * The messages of one room as this tab knows them: everything from `low` to the newest, in the order of their numbers.
 *
 * It is idempotent: a message counts if its version is newer, so frames may come twice, late or in any order. A hole is
 * noticed (`apply` says so) and healed by opening the room again from `cursor`. It knows nothing of the network.
 */

import { position } from "../core/cursor.js";

/** @typedef {import("./types.js").Message} Message */

export class Timeline {
  /** @type {Map<number, Message>} */
  #messages = new Map();
  /** @type {Message[] | null} */
  #sorted = null;
  #stream;

  /** The position to continue from. */
  cursor = "";
  /** Every message from this number on is here, or on its way. */
  low = Infinity;
  /** The highest number that was ever here. */
  high = 0;
  /** What to ask for to see older ones. @type {number | null} null: there are none */
  before = null;
  /** How many snapshots replaced everything: a page that was asked for before is of no use. */
  resets = 0;
  /** The latest version of a change to a message that is not here: a page that was read before it is out of date. */
  missed = 0;

  /** @param {number} room */
  constructor(room) {
    this.#stream = `room-${room}`;
  }

  /** All messages, oldest first. One that did not change is the same object as before. */
  get messages() {
    this.#sorted ??= [...this.#messages.values()].sort((a, b) => a.number - b.number);
    return this.#sorted;
  }

  /** @param {number} number */
  get(number) {
    return this.#messages.get(number);
  }

  /**
   * Take a frame of type `message` or `reset`.
   *
   * @param {any} frame
   * @returns {{hole: boolean, arrivals: Message[]}} `hole`: ask the server again; `arrivals`: newer than all before
   */
  apply(frame) {
    if (frame.type === "reset") {
      this.#reset(frame);
      return { hole: false, arrivals: [] };
    }
    const [here, from, to] = [this.cursor, frame.from, frame.to].map((cursor) => position(cursor, this.#stream));
    if (to.epoch !== here.epoch) return { hole: true, arrivals: [] }; // versions do not compare
    const high = this.high;
    // Behind a hole there may be a new text: with the reactions' version it would be taken for the old one.
    for (const one of from.at > here.at ? [] : (frame.reactions ?? [])) {
      const known = this.get(one.number);
      if (known || one.number < this.low) this.put({ ...known, ...one });
    }
    const arrivals = frame.messages.filter(
      (/** @type {Message} */ message) => this.put(message) && message.number > high,
    );
    if (from.at > here.at) return { hole: true, arrivals };
    if (to.at > here.at) this.cursor = frame.to;
    return { hole: false, arrivals };
  }

  /** Whether the server is ahead of what is here. @param {string} head of a heartbeat */
  behind(head) {
    const [here, there] = [position(this.cursor, this.#stream), position(head, this.#stream)];
    return there.at >= 0 && (there.epoch !== here.epoch || there.at > here.at);
  }

  /**
   * Begin from a row of the list of rooms, unless more is known.
   *
   * @param {string} cursor
   * @param {Message | null} last
   */
  begin(cursor, last) {
    if (this.cursor) return;
    this.cursor = cursor;
    this.page({ messages: last ? [last] : [], before: last && last.number > 1 ? last.number : null });
  }

  /**
   * Take a page of older messages that ends where ours begin.
   *
   * @param {{messages: Message[], before: number | null}} page
   */
  page({ messages, before }) {
    this.low = before === null ? 0 : Math.min(this.low, messages[0]?.number ?? Infinity);
    for (const message of messages) this.put(message);
    this.before = before;
  }

  /**
   * Keep the newer.
   *
   * @param {Message} message
   * @returns {boolean} whether it is new here
   */
  put(message) {
    const { number, version } = message;
    if (this.low === Infinity) this.low = number;
    if (number < this.low) {
      this.missed = Math.max(this.missed, version); // to be paged, in its latest state
      return false;
    }
    const known = this.#messages.get(number);
    if (known && known.version >= version) return false;
    this.#messages.set(number, Object.freeze(message));
    this.high = Math.max(this.high, number);
    this.#sorted = null;
    return !known;
  }

  /** Whether a page was read before something that was told since. @param {{cursor?: string}} page */
  outdates({ cursor }) {
    return position(cursor, this.#stream).at < this.missed;
  }

  /** Forget all but the newest. @param {number} most */
  trim(most) {
    const excess = this.messages.slice(0, -most);
    if (!excess.length) return;
    for (const { number } of excess) this.#messages.delete(number);
    this.low = this.before = this.messages.slice(excess.length)[0].number;
    this.#sorted = null;
  }

  /** Forget everything: the user signed out. */
  clear() {
    this.#reset({ cursor: "", messages: [], before: null });
  }

  /** @param {any} frame */
  #reset({ cursor, messages, before }) {
    this.#messages = new Map();
    this.#sorted = null;
    this.low = Infinity;
    this.high = 0;
    this.cursor = cursor;
    this.missed = 0;
    this.resets++;
    this.page({ messages, before });
  }
}
