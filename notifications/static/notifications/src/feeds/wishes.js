/** Which feeds the tabs of this browser want, and how far the connection has brought each of them. */

const SILENT = 150_000; // ms after which a tab that answers no question is gone: it crashed, or is frozen

export class Wishes {
  #env;
  #post;
  #feeds;
  #onChange;
  #tab;
  /** @type {Map<string, {feeds: Record<string, string>, heardAt: number}>} */
  #others = new Map();
  /** Whatever was told to any tab, by feed. @type {Map<string, string>} */
  #positions = new Map();

  /**
   * @param {import("../core/env.js").Env} env
   * @param {(type: string, more?: object) => void} post
   * @param {Map<string, import("./feed.js").Feed>} feeds of this tab
   * @param {() => void} onChange another tab wants others than before
   */
  constructor(env, post, feeds, onChange) {
    this.#env = env;
    this.#post = post;
    this.#feeds = feeds;
    this.#onChange = onChange;
    this.#tab = env.random(); // two tabs may be born in the same moment
  }

  /** What any tab wants. */
  get names() {
    const others = [...this.#others.values()].flatMap(({ feeds }) => Object.keys(feeds));
    return new Set([...this.#feeds.keys(), ...(this.#env.locks ? others : [])]); // without locks each tab is for itself
  }

  /** Where a feed is to go on; empty for its beginning. @param {string} name */
  since(name) {
    const known = [...this.#others.values()].map(({ feeds }) => feeds[name]);
    return this.#positions.get(name) || [this.#feeds.get(name)?.cursor, ...known].find(Boolean) || "";
  }

  /** The positions of all that is wanted, joined. */
  get cursor() {
    return [...this.names].map((name) => this.since(name)).filter(Boolean);
  }

  /** Tell the others what this tab wants. */
  tell() {
    this.#post("feeds", {
      tab: this.#tab,
      feeds: Object.fromEntries([...this.#feeds.values()].map(({ name, cursor }) => [name, cursor])),
    });
  }

  /** This tab wants nothing, for it is going away. */
  withdraw() {
    this.#post("feeds", { tab: this.#tab, feeds: {} });
  }

  /** Have the others tell what they want, and forget those that do not answer. */
  ask() {
    const now = this.#env.now();
    for (const [tab, { heardAt }] of this.#others) if (heardAt < now - SILENT) this.#others.delete(tab);
    this.#post("feeds?");
  }

  /** @param {any} message of another tab */
  heard({ type, born, tab, feeds }) {
    if (type === "feeds?" && this.#feeds.size) this.tell();
    if (type !== "feeds") return;
    const name = `${born} ${tab}`;
    this.#others.set(name, { feeds, heardAt: this.#env.now() });
    if (!Object.keys(feeds).length) this.#others.delete(name);
    this.#onChange();
  }

  /** A frame has brought a feed to a position. @param {any} frame */
  moved({ feed, to, cursor, more }) {
    const position = to ?? cursor;
    if (feed && position && !more) this.#positions.set(feed, position);
  }

  /** Nobody wants these any more. @param {string[]} names */
  forget(names) {
    for (const name of names) this.#positions.delete(name);
  }
}
