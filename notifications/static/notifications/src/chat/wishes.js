/** The user's own changes of messages, shown before the server confirmed them: an edit, a deletion, a reaction. */

/** @typedef {import("./types.js").Message} Message */
/** @typedef {(message: Message) => Message} Show */
/** @typedef {{number: number, version: number, settled: boolean, show: Show}} Wish */

export class Wishes {
  /** @type {Set<Wish>} */
  #all = new Set();
  /** @type {Map<number, {base: Message, view: Message}>} */
  #views = new Map();

  /** @param {Message} message @param {Show} show @returns {Wish} */
  add({ number, version }, show) {
    const wish = { number, version, settled: false, show };
    this.#all.add(wish);
    this.#views.delete(number);
    return wish;
  }

  /** Confirmed: it ends when the server's own message comes. @param {Wish} wish @param {Message | undefined} now */
  settle(wish, now) {
    wish.settled = true;
    if (!now || now.version > wish.version) this.cancel(wish);
  }

  /** @param {Wish} wish */
  cancel(wish) {
    this.#all.delete(wish);
    this.#views.delete(wish.number);
  }

  /** The message as the user wants it. @param {Message} base @returns {Message} */
  apply(base) {
    const mine = [...this.#all].filter(({ number }) => number === base.number);
    for (const wish of mine) if (wish.settled && base.version > wish.version) this.cancel(wish);
    const left = mine.filter((wish) => this.#all.has(wish));
    if (!left.length) return base;
    const known = this.#views.get(base.number);
    if (known?.base === base) return known.view;
    /** @type {Message} */
    let view = { ...base, pending: true };
    for (const { show } of left) view = show(view);
    Object.freeze(view);
    this.#views.set(base.number, { base, view });
    return view;
  }
}
