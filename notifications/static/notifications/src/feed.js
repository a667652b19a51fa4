/** A filtered, paged view of the store: what a list shows. */

/** @typedef {import("./types.js").Item} Item */

export class Feed {
  #store;
  #changed;
  #now;
  #fetch;
  /** Items from this id on are complete here; those below wait for `loadMore()`. */
  #floor = Infinity;
  /** @type {number | null} */
  #next = null;
  #generation = -1;
  /** While held: the newest id that may show. */
  #ceiling = Infinity;
  /** @type {Set<number>} */
  #shown = new Set();
  #fresh = 0;
  /** @type {Item[]} */
  #items = [];
  #revision = -1;

  loaded = false;
  loading = false;
  /** @type {string | null} */
  error = null;

  /**
   * @param {import("./store.js").Store} store
   * @param {{state: import("./types.js").Filter, category: string}} filter
   * @param {{fetch: (query: Record<string, string>) => Promise<any>, changed: () => void, now: () => number}} parts
   *   `fetch` rejects with an Error whose message is a sentence
   */
  constructor(store, filter, { fetch, changed, now }) {
    this.#store = store;
    this.#fetch = fetch;
    this.filter = filter;
    this.#changed = changed;
    this.#now = now;
  }

  /** What to show, newest first. An item that did not change is the same object as before. */
  get items() {
    this.#compute();
    return this.#items;
  }

  /** How many newer items wait while the feed is held. */
  get fresh() {
    this.#compute();
    return this.#fresh;
  }

  get hasMore() {
    return this.#next !== null || this.#store.oldest > this.#floor;
  }

  /** Fetch the first page, unless it is here. */
  async load() {
    if (!this.loaded) await this.#page(null);
  }

  /** Fetch the next page. */
  async loadMore() {
    if (this.hasMore) await this.#page(this.#store.oldest > this.#floor ? this.#store.oldest : this.#next);
    else await this.load();
  }

  /** Keep what the reader looks at in place (true), or let everything in (false). @param {boolean} on */
  hold(on) {
    if (on && this.#ceiling < Infinity) return;
    this.#shown = new Set(on ? this.items.map(({ id }) => id) : []);
    this.#ceiling = on ? this.#store.newest : Infinity;
    this.#again();
  }

  /** Let in what waits. */
  showFresh() {
    if (this.#ceiling < Infinity) this.#ceiling = this.#store.newest;
    this.#again();
  }

  /** The server replaced everything: what the store holds now is the beginning; look for the rest. */
  reset() {
    if (!this.loaded && !this.loading) return;
    this.#floor = this.#store.items.at(-1)?.id ?? 0;
    this.#again();
    this.#page(null);
  }

  /** @param {number | null} before */
  async #page(before) {
    const { resets } = this.#store;
    if (this.loading && this.#generation === resets) return;
    this.#generation = resets;
    this.loading = true;
    this.error = null;
    this.#changed();
    /** @type {Record<string, string>} */
    const query = { ...this.filter, ...(before !== null && { before: `${before}` }) };
    try {
      const page = await this.#fetch(query);
      if (resets !== this.#store.resets) return;
      this.#store.page(page);
      this.#next = page.next;
      this.#floor = page.next ?? 0;
      if (!this.loaded) this.showFresh(); // held before: from here on
      this.loaded = true;
    } catch (error) {
      if (resets === this.#store.resets) this.error = /** @type {Error} */ (error).message;
    } finally {
      if (resets === this.#store.resets) this.loading = false;
      this.#again();
    }
  }

  #again() {
    this.#revision = -1;
    this.#changed();
  }

  #compute() {
    const now = this.#now();
    if (this.#revision === this.#store.revision && now < this.until) return;
    this.#revision = this.#store.revision;
    this.until = Infinity;
    this.#fresh = 0;
    const floor = Math.max(this.#floor, this.#store.oldest);
    this.#items = this.#store.items.filter((item) => {
      if (item.id < floor || !this.#matches(item)) return false;
      if (item.expires_at) {
        const end = Date.parse(item.expires_at);
        if (end <= now) return false;
        this.until = Math.min(this.until, end);
      }
      if (item.id > this.#ceiling) this.#fresh++;
      return item.id <= this.#ceiling;
    });
    if (this.#ceiling < Infinity) for (const { id } of this.#items) this.#shown.add(id);
  }

  /** Epoch ms at which an item that is shown expires. */
  until = Infinity;

  /** @param {Item} item */
  #matches({ id, category, archived_at, read_at }) {
    const { state, category: wanted } = this.filter;
    if (wanted && category !== wanted) return false;
    if (state === "archived") return !!archived_at;
    return !archived_at && (state === "all" || !read_at || this.#shown.has(id));
  }
}
