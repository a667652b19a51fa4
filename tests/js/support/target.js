/**
 * An event target as the DOM standard has it. Node.js holds what removes a listener at its signal's abort so weakly that
 * a garbage collection may come first (https://github.com/nodejs/node/issues/63954); browsers do not.
 */
export class Target extends EventTarget {
  addEventListener(type, listener, options) {
    const { signal, ...rest } = typeof options === "object" ? options : { capture: options };
    if (signal?.aborted) return;
    super.addEventListener(type, listener, rest);
    signal?.addEventListener("abort", () => this.removeEventListener(type, listener, rest));
  }
}
