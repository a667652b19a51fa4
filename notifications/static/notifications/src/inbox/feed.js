/** A filtered, paged view of the store: what a list shows. */

/** @typedef {import("./types.js").Item} Item */
/** @typedef {ReturnType<typeof createFeed>} Feed */

/**
 * @param {import("./store.js").Store} store
 * @param {{state: import("./types.js").Filter, category: string}} filter
 * @param {object} parts
 * @param {(query: Record<string, string>) => Promise<any>} parts.fetch rejects with an Error whose message is a sentence
 * @param {() => void} parts.changed
 * @param {() => number} parts.now
 */
export function createFeed(store, filter, { fetch, changed, now }) {
  /** Items from this id on are complete here; those below wait for `loadMore()`. */
  let floor = Infinity;
  /** @type {number | null} */
  let next = null;
  let generation = -1;
  /** While held: the newest id that may show. */
  let ceiling = Infinity;
  /** What was in sight while held. @type {Set<number>} */
  let shown = new Set();
  let fresh = 0;
  /** @type {Item[]} */
  let items = [];
  let revision = -1;

  const again = () => {
    revision = -1;
    changed();
  };

  const matches = (/** @type {Item} */ { id, category, archived_at, read_at }) => {
    if (filter.category && category !== filter.category) return false;
    if (filter.state === "archived") return archived_at;
    return !archived_at && (filter.state === "all" || !read_at || shown.has(id));
  };

  const compute = () => {
    if (revision === store.revision && now() < self.until) return;
    revision = store.revision;
    self.until = Infinity;
    fresh = 0;
    items = store.items.filter((item) => {
      if (item.id < floor || !matches(item)) return false;
      const end = item.expires_at ? Date.parse(item.expires_at) : Infinity;
      if (end <= now()) return false;
      self.until = Math.min(self.until, end);
      if (item.id > ceiling) fresh++;
      return item.id <= ceiling;
    });
    if (ceiling < Infinity) items.forEach(({ id }) => shown.add(id));
  };

  const page = async (/** @type {number | null} */ before) => {
    const { resets } = store;
    if (self.loading && generation === resets) return;
    generation = resets;
    self.loading = true;
    self.error = null;
    changed();
    let error = null;
    try {
      const found = await fetch({ ...filter, ...(before && { before: `${before}` }) });
      if (resets === store.resets) {
        store.page(found);
        next = found.next;
        floor = next ?? 0;
        if (!self.loaded) self.showFresh(); // held before: from here on
        self.loaded = true;
      }
    } catch (failure) {
      error = /** @type {Error} */ (failure).message;
    }
    if (resets !== store.resets) return; // a snapshot came meanwhile, and its own page is on the way
    self.error = error;
    self.loading = false;
    again();
  };

  const self = {
    filter,
    loaded: false,
    loading: false,
    error: /** @type {string | null} */ (null),
    /** Epoch ms at which an item that is shown expires. */
    until: Infinity,

    /** What to show, newest first. An item that did not change is the same object as before. */
    get items() {
      compute();
      return items;
    },

    /** How many newer items wait while the feed is held. */
    get fresh() {
      compute();
      return fresh;
    },

    get hasMore() {
      return next !== null;
    },

    /** Fetch the first page, unless it is here. */
    async load() {
      if (!self.loaded) await page(null);
    },

    /** Fetch the next page. */
    async loadMore() {
      if (next || !self.loaded) await page(next);
    },

    /** Keep what the reader looks at in place (true), or let everything in (false). @param {boolean} on */
    hold(on) {
      if (on && ceiling < Infinity) return;
      shown = new Set(on ? self.items.map(({ id }) => id) : []);
      ceiling = on ? store.newest : Infinity;
      again();
    },

    /** Let in what waits. */
    showFresh() {
      if (ceiling < Infinity) ceiling = store.newest;
      again();
    },

    /** The server replaced everything: what the store holds now is the beginning; look for the rest. */
    reset() {
      if (!self.loaded && !self.loading) return;
      floor = store.items.at(-1)?.id ?? 0;
      again();
      page(null);
    },
  };
  return self;
}
