/** A filtered, paged view of the store: what a list shows. */

import { endOf, newestFirst } from "./states.js";

/** @typedef {import("./types.js").Item} Item */

const PIN = 2 ** 52; // what a pin adds to a rank
const FEW = 5; // items; a list that shrank to so few has its next page fetched

export class Feed {
  #inbox;
  #store;
  /** What is complete here ends with this item; the rest waits for `loadMore()`. Null: all is, undefined: nothing. @type {Item | null | undefined} */
  #floor;
  /** @type {string | null} */
  #next = null;
  #generation = -1;
  /** While held: the newest id that may show. */
  #ceiling = Infinity;
  /** What was in sight while held, by id, with its rank, for it keeps its place. @type {Map<number, number>} */
  #shown = new Map();
  #fresh = 0;
  /** @type {Item[]} */
  #items = [];
  #revision = -1;
  /** What the server has found by `q`. @type {Set<number>} */
  #found = new Set();
  /** Epoch ms at which an item that is shown expires. */
  #until = Infinity;

  /** Whether the first page is here. */
  loaded = false;
  /** Whether a page is on its way. */
  loading = false;
  /** A sentence in the page's language. @type {string | null} */
  error = null;

  /**
   * @internal
   * @param {Pick<import("./live-inbox.js").LiveInbox, "store" | "config" | "explain" | "ask" | "changed" | "now">} inbox
   * @param {import("./types.js").Listed} filter
   */
  constructor(inbox, filter) {
    this.#inbox = inbox;
    this.#store = inbox.store;
    /** What it shows. */
    this.filter = filter;
  }

  /** What to show, newest first. An item that did not change is the same object as before. @returns {readonly Item[]} */
  get items() {
    this.#compute();
    return this.#items;
  }

  /** How many newer items wait while the feed is held. */
  get fresh() {
    this.#compute();
    return this.#fresh;
  }

  /** Whether there are older items. */
  get hasMore() {
    return this.#next !== null;
  }

  /** Whether there is nothing: the server says so, not only this tab. */
  get empty() {
    return this.loaded && !this.loading && !this.hasMore && !this.items.length;
  }

  /** Fetch the next page of a list that has run out, as by archiving what was in it. @internal */
  refill() {
    if (this.hasMore && !this.loading && !this.error && this.items.length < FEW) this.loadMore();
  }

  /** Fetch the first page, unless it is here. */
  async load() {
    if (!this.loaded) await this.#page(null);
  }

  /** Fetch the next page, or the one that failed. */
  async loadMore() {
    if (this.#next || !this.loaded) await this.#page(this.#next);
  }

  /** Keep what the reader looks at in place (true), or let everything in (false). @param {boolean} on */
  hold(on) {
    if (on && this.#ceiling < Infinity) return;
    this.#shown = new Map(on ? this.items.map(({ id, rank }) => [id, rank]) : []);
    this.#ceiling = on ? this.#store.newest : Infinity;
    this.#changed();
  }

  /** Let in what waits, and go on holding. */
  showFresh() {
    if (this.#ceiling < Infinity) this.#ceiling = this.#store.newest;
    for (const { id, rank } of this.#items) this.#shown.set(id, rank);
    this.#changed();
  }

  /** Forget everything: the user signed out. @internal */
  clear() {
    this.loaded = this.loading = false;
    this.error = this.#next = null;
    this.#floor = undefined;
    this.#shown.clear();
    this.#changed();
  }

  /** The server replaced everything: what the store holds now is the beginning; look for the rest. @internal */
  reset() {
    if (!this.loaded && !this.loading) return;
    this.#floor = this.#store.items.at(-1) ?? null;
    this.#changed();
    this.#page(null);
  }

  #changed() {
    this.#revision = -1;
    this.#inbox.changed();
  }

  #compute() {
    const store = this.#store;
    const now = this.#inbox.now();
    if (this.#revision === store.revision && now < this.#until) return;
    this.#revision = store.revision;
    this.#until = Infinity;
    this.#fresh = 0;
    this.#items = store.items.filter((item) => {
      if (!this.#complete(item) || !this.#matches(item)) return false;
      const end = endOf(item);
      if (end <= now) return false;
      this.#until = Math.min(this.#until, end);
      if (item.id > this.#ceiling) this.#fresh++;
      return item.id <= this.#ceiling;
    });
    if (this.#ceiling === Infinity) return;
    for (const { id, rank } of this.#items) if (!this.#shown.has(id)) this.#shown.set(id, rank);
    const place = (/** @type {Item} */ { id, rank, pinned }) => {
      const held = this.#shown.get(id) ?? rank;
      return { id, rank: held >= PIN === !!pinned ? held : rank }; // a pin moves it, held or not
    };
    this.#items.sort((a, b) => newestFirst(place(a), place(b)));
  }

  /** Whether all that stands above an item is here. @param {Item} item */
  #complete(item) {
    const floor = this.#floor;
    return floor !== undefined && (!floor || newestFirst(item, floor) <= 0 || this.#shown.has(item.id));
  }

  /** @param {Item} item */
  #matches({ id, category, kind, title, archived_at, read_at, snoozed_until }) {
    const { filter } = this;
    if (filter.category && category !== filter.category) return false;
    if (filter.kind && kind !== filter.kind) return false;
    if (filter.q && !this.#found.has(id) && !title.toLowerCase().includes(filter.q.toLowerCase())) return false;
    if (filter.state === "snoozed") return snoozed_until;
    if (filter.state === "archived") return archived_at && !snoozed_until;
    return !archived_at && (filter.state === "all" || !read_at || this.#shown.has(id));
  }

  /** @param {string | null} before */
  async #page(before) {
    const store = this.#store;
    const { resets } = store;
    if (this.loading && this.#generation === resets) return;
    this.#generation = resets;
    this.loading = true;
    this.error = null;
    this.#inbox.changed();
    const query = new URLSearchParams({ ...this.filter, ...(before && { before }) });
    let error = null;
    try {
      const page = await this.#inbox.ask(`${this.#inbox.config.urls.inbox}?${query}`);
      if (resets === store.resets) {
        store.page(page);
        for (const { id } of page.items) this.#found.add(id);
        this.#next = page.next;
        this.#floor = page.next ? page.items.at(-1) : null;
        if (!this.loaded) this.showFresh(); // held before: from here on
        this.loaded = true;
      }
    } catch (problem) {
      error = this.#inbox.explain("couldNotLoad", problem);
      if (!this.loaded && resets === store.resets) this.#floor = null; // what this tab has is better than nothing
    }
    if (resets !== store.resets) return; // a snapshot came meanwhile, and its own page is on the way
    this.error = error;
    this.loading = false;
    this.#changed();
  }
}
