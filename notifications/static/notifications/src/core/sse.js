/** An incremental parser of event streams (WHATWG HTML, 9.2.6 "Interpreting an event stream"). */

const LIMIT = 262_144; // characters of one event; a frame has at most 32 KiB, so more is not ours

/**
 * The ids of events are passed over: a frame names its own position.
 *
 * @param {(event: {type: string, data: string}) => void} onEvent
 * @param {(milliseconds: number) => void} [onRetry]
 * @returns {(bytes: Uint8Array) => void} take the next bytes and report the events that they complete; throws a RangeError
 *   when an event is longer than the limit: the connection must end, for a cut frame would be a silent hole
 */
export function parser(onEvent, onRetry) {
  // The mark is removed here: some decoders (Node.js 24) remove a second one where the first came in two pieces.
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  let begun = false;
  let rest = ""; // the beginning of a line whose end has not come yet
  let afterReturn = false; // the last chunk ended with CR: an LF at the start of the next belongs to it
  let type = "";
  let data = "";

  const guard = (/** @type {string} */ more) => {
    if (data.length + more.length > LIMIT) throw new RangeError("event too long");
  };

  const take = (/** @type {string} */ line) => {
    if (!line) {
      if (data) onEvent({ type: type || "message", data: data.slice(0, -1) });
      type = data = "";
      return;
    }
    guard(line);
    const [, field, value = ""] = /** @type {RegExpExecArray} */ (/^([^:]*)(?:: ?(.*))?$/s.exec(line));
    if (field === "data") data += `${value}\n`;
    else if (field === "event") type = value;
    else if (field === "retry" && /^\d+$/.test(value)) onRetry?.(+value);
  };

  return (bytes) => {
    let text = decoder.decode(bytes, { stream: true });
    if (!text) return;
    if (!begun && text[0] === "\uFEFF") text = text.slice(1);
    begun = true;
    if (afterReturn && text[0] === "\n") text = text.slice(1);
    afterReturn = text.endsWith("\r");
    const lines = text.split(/\r\n?|\n/);
    lines[0] = rest + lines[0];
    rest = lines.pop() ?? "";
    lines.forEach(take);
    guard(rest);
  };
}
