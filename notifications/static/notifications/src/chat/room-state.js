/** What is known of a room: its messages, its members, who is there, reads and types. */

import { OptimisticUpdates } from "../core/optimistic.js";
import { Timeline } from "./timeline.js";

const FIRST = 25; // messages that are enough to begin with

/** @typedef {import("./types.js").Message} Message */
/** @typedef {import("./types.js").Id} Id */

export class RoomState {
  /** @internal */
  timeline;
  /** The user's own changes. @type {OptimisticUpdates<Message>} @internal */
  updates = new OptimisticUpdates("number");
  /** Who types, and until when (epoch ms). @type {Map<Id, {name: string, until: number}>} @internal */
  typists = new Map();
  /** @type {any} */
  #typingTimer;

  /** @type {import("./types.js").RoomInfo | null} */
  info = null;
  /** @type {import("./types.js").Me | null} */
  me = null;
  /** How far each member has read. @type {Map<Id, number>} */
  reads = new Map();
  /** Who of the members is here; null in a large room. @type {Id[] | null} */
  online = null;
  onlineCount = 0;
  /** The user is no member (any more), or there is no such room. */
  gone = false;
  loading = false;
  /** @type {string | null} */
  error = null;

  /** @param {import("./client.js").Chat} chat @param {number} id */
  constructor(chat, id) {
    /** @internal */
    this.chat = chat;
    this.id = id;
    this.timeline = new Timeline(id);
  }

  /** The server's messages as the user wants them, oldest first; one that did not change is the same object. */
  get messages() {
    return this.timeline.messages.map((message) => this.updates.view(message));
  }

  /** What waits to be sent, in order. */
  get waiting() {
    return this.chat.outbox.of(this.id);
  }

  /** @returns {Message | undefined} */
  get last() {
    const last = this.timeline.messages.at(-1);
    return last && this.updates.view(last);
  }

  /** The newest number. */
  get head() {
    return Math.max(this.timeline.high, this.info?.last_number ?? 0);
  }

  get unread() {
    return this.me ? Math.max(0, this.head - this.me.last_read) : 0;
  }

  get hasOlder() {
    return this.timeline.before !== null;
  }

  /** Whether the first page is here. */
  get loaded() {
    const { cursor, before, messages } = this.timeline;
    return cursor !== "" && (before === null || messages.length >= FIRST);
  }

  /** Whether the first page, or an older one, is on its way. */
  get busy() {
    return this.loading || (this.chat.live && !this.loaded && !this.error && !this.gone);
  }

  /** Who types, by name. */
  get typing() {
    return [...this.typists.values()].map(({ name }) => name);
  }

  /** The other one in a direct room. */
  get other() {
    const { me } = this.chat;
    return this.info?.kind === "direct" ? (this.info.members?.find(({ id }) => id !== me?.id) ?? null) : null;
  }

  /** What the user calls this room. */
  get name() {
    return this.info?.name || this.other?.name || "";
  }

  /** Names of those who have read as far as `number`, without the user and the author. @param {Message} message */
  readers({ number, author }) {
    const { me } = this.chat;
    const members = this.info?.members ?? [];
    return members
      .filter(({ id }) => id !== me?.id && id !== author?.id && (this.reads.get(id) ?? 0) >= number)
      .map(({ name }) => name);
  }

  /** @param {import("./types.js").RoomInfo} info @param {import("./types.js").Me} [me] @internal */
  describe(info, me) {
    this.gone = false;
    this.info = info;
    this.online = info.online;
    this.onlineCount = info.online_count;
    for (const { id, last_read } of info.members ?? []) this.sawRead(id, last_read);
    if (me) this.me = { ...me, last_read: Math.max(me.last_read, this.me?.last_read ?? 0) };
    this.chat.changed();
  }

  /** @param {Id} user @param {number} up_to @internal */
  sawRead(user, up_to) {
    this.reads.set(user, Math.max(up_to, this.reads.get(user) ?? 0));
    if (this.me && user === this.chat.me?.id) this.me = { ...this.me, last_read: Math.max(up_to, this.me.last_read) };
  }

  /** @param {import("./types.js").Actor} user @param {number} expires seconds @internal */
  heardTyping({ id, name }, expires) {
    if (id === this.chat.me?.id) return;
    this.typists.delete(id);
    if (expires) this.typists.set(id, { name, until: this.chat.env.now() + expires * 1000 });
    this.#forgetTyping();
  }

  #forgetTyping() {
    const { now, setTimeout, clearTimeout } = this.chat.env;
    for (const [id, { until }] of this.typists) if (until <= now()) this.typists.delete(id);
    clearTimeout(this.#typingTimer);
    const next = Math.min(...[...this.typists.values()].map(({ until }) => until));
    if (next < Infinity) this.#typingTimer = setTimeout(() => this.#forgetTyping(), next - now());
    this.chat.changed();
  }

  /** Forget everything: the user signed out. @internal */
  clear() {
    this.timeline.clear();
    this.updates.rebase([]);
    this.typists.clear();
    this.reads.clear();
    this.show({ info: null, me: null, online: null, onlineCount: 0, error: null });
  }

  /** @param {{info?: null, gone?: boolean, loading?: boolean, error?: string | null, online?: Id[] | null, onlineCount?: number, me?: import("./types.js").Me | null}} news @internal */
  show(news) {
    Object.assign(this, news);
    this.chat.changed();
  }
}
