/** The user's rooms: the most recently active first, each of them live. */

/** @typedef {import("./room.js").Room} Room */

const LIVE = 80; // rooms that are kept open; a socket carries at most 100

export class RoomList {
  #chat;
  /** @type {Map<Room, (() => void) | undefined>} each with what lets go of it */
  #rooms = new Map();
  /** @type {string | null} */
  #next = null;
  #holders = 0;
  /** The page that is on its way; what comes after another one, or after a sign-out, is of no use. */
  #asked = {};

  loaded = false;
  loading = false;
  /** @type {string | null} */
  error = null;

  /** @param {import("./client.js").Chat} chat */
  constructor(chat) {
    this.#chat = chat;
  }

  /** @returns {Room[]} */
  get rooms() {
    const active = (/** @type {Room} */ room) => room.last?.created_at ?? "";
    return [...this.#rooms.keys()]
      .filter(({ gone }) => !gone)
      .sort((a, b) => (active(a) < active(b) ? 1 : active(a) > active(b) ? -1 : b.id - a.id));
  }

  get unread() {
    return this.rooms.reduce((sum, { unread, me }) => sum + (me?.muted ? 0 : unread), 0);
  }

  get hasMore() {
    return this.#next !== null;
  }

  /** @returns {() => void} */
  hold() {
    let held = true;
    this.#holders++;
    if (this.loaded) this.#keep();
    else this.load();
    return () => {
      if (!held) return;
      held = false;
      if (--this.#holders) return;
      for (const [room, release] of this.#rooms) {
        release?.();
        this.#rooms.set(room, undefined);
      }
    };
  }

  /** Fetch the first page; again after each reconnect, for rooms that came meanwhile. */
  async load() {
    await this.#page({});
  }

  async loadMore() {
    if (this.#next !== null) await this.#page({ before: this.#next });
  }

  /** Forget everything: the user signed out. @internal */
  clear() {
    for (const release of this.#rooms.values()) release?.();
    this.#rooms.clear();
    this.#next = this.error = null;
    this.loaded = this.loading = false;
    this.#asked = {};
  }

  /** The server told of a room. @param {Room} room @internal */
  add(room) {
    if (!this.#holders || this.#rooms.has(room)) return;
    this.#rooms.set(room, undefined);
    this.#keep();
  }

  /** @param {Record<string, string>} query */
  async #page(query) {
    if (this.loading || !this.#holders) return;
    this.loading = true;
    this.error = null;
    const asked = {};
    this.#asked = asked;
    this.#chat.changed();
    try {
      const { rooms, next } = await this.#chat.ask(`${this.#chat.config.urls.rooms}?${new URLSearchParams(query)}`);
      if (asked !== this.#asked) return;
      for (const row of rooms) {
        const room = this.#chat.room(row.info.id);
        room.adopt(row);
        if (!this.#rooms.has(room)) this.#rooms.set(room, undefined);
      }
      if (query.before || !this.loaded) this.#next = next;
      this.loaded = true;
      this.#keep();
    } catch (error) {
      if (asked !== this.#asked) return;
      this.error = this.#chat.explain("couldNotLoadRooms", error);
    }
    this.loading = false;
    this.#chat.changed();
  }

  #keep() {
    if (!this.#holders) return;
    for (const room of this.rooms.slice(0, LIVE)) if (!this.#rooms.get(room)) this.#rooms.set(room, room.hold(false));
  }
}
