/** An incremental parser of event streams (WHATWG HTML, 9.2.6 "Interpreting an event stream"). */

const LIMIT = 262_144; // characters of one event; a frame has at most 32 KiB, so more is not ours
const END_OF_LINE = /\r\n?|\n/g;

/** An event grew beyond the limit. The connection ends: a cut frame would be a silent hole. */
export class TooLong extends Error {}

export class Parser {
  #onEvent;
  #onRetry;
  #decoder = new TextDecoder(); // removes one byte order mark, as the standard wants
  #line = ""; // the beginning of a line whose end has not come yet
  #afterReturn = false; // the last chunk ended with CR: an LF at the start of the next belongs to it
  #type = "";
  #data = "";
  #size = 0;
  #id = "";

  /**
   * @param {(event: {type: string, data: string, id: string}) => void} onEvent
   * @param {(milliseconds: number) => void} [onRetry]
   */
  constructor(onEvent, onRetry) {
    this.#onEvent = onEvent;
    this.#onRetry = onRetry;
  }

  /**
   * Take the next bytes and report the events that they complete.
   *
   * @param {Uint8Array} bytes
   * @throws {TooLong} an event is longer than the limit
   */
  push(bytes) {
    let text = this.#decoder.decode(bytes, { stream: true });
    if (!text) return;
    if (this.#afterReturn && text[0] === "\n") text = text.slice(1);
    this.#afterReturn = text.endsWith("\r");
    let start = 0;
    for (const match of text.matchAll(END_OF_LINE)) {
      const line = this.#line + text.slice(start, match.index);
      this.#line = "";
      start = match.index + match[0].length;
      this.#take(line);
    }
    this.#line += text.slice(start);
    this.#guard(this.#line.length);
  }

  /** @param {string} line */
  #take(line) {
    if (!line) return this.#dispatch();
    this.#guard(line.length);
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(line[colon + 1] === " " ? colon + 2 : colon + 1);
    if (field === "data") {
      this.#data += value + "\n";
      this.#size += line.length;
    } else if (field === "event") this.#type = value;
    else if (field === "id") {
      if (!value.includes("\0")) this.#id = value;
    } else if (field === "retry" && /^\d+$/.test(value)) this.#onRetry?.(+value);
  }

  #dispatch() {
    const [type, data] = [this.#type, this.#data];
    this.#type = this.#data = "";
    this.#size = 0;
    if (data) this.#onEvent({ type: type || "message", data: data.slice(0, -1), id: this.#id });
  }

  /** @param {number} more */
  #guard(more) {
    if (this.#size + more > LIMIT) throw new TooLong(`An event has more than ${LIMIT} characters.`);
  }
}
