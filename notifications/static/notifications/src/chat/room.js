/** One room as an element sees it: its messages, who is there, and what the user can do. */

import { Timeline } from "./timeline.js";
import { Wishes } from "./wishes.js";

const PAGE = 50; // messages
const AWAY = 50; // messages kept of a room that nobody looks at
const KEPT = 500; // messages kept of one that is read at its end
const LINGER = 5_000; // ms that a room stays open after its last holder: elements are moved and swapped
const TYPING = 3_000; // ms after which typing is told again; the others forget it after 6 s
const AGAIN = 3_000; // ms after which a receipt that was refused is tried again
const MORE = 100; // messages of a page on the way to a far one

/** @typedef {import("./types.js").Message} Message */
/** @typedef {import("./types.js").Entry} Entry */
/** @typedef {import("./types.js").Id} Id */

export class Room {
  #chat;
  #timeline;
  #wishes = new Wishes();
  /** @type {Map<object, boolean>} each with whether it shows the messages */
  #holders = new Map();
  #opening = false;
  #again = false;
  /** @type {any} */
  #linger;
  /** @type {Map<Id, {name: string, until: number}>} */
  #typing = new Map();
  /** @type {any} */
  #typingTimer;
  #toldTyping = 0;
  #receipt = false;
  /** @type {Map<number, Message | null>} messages that are quoted, and too old to be here; null: being asked for */
  #quoted = new Map();

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
    this.#chat = chat;
    this.id = id;
    this.#timeline = new Timeline(id);
  }

  /** The server's messages as the user wants them, oldest first; one that did not change is the same object. */
  get messages() {
    return this.#timeline.messages.map((message) => this.#wishes.apply(message));
  }

  /** What waits to be sent, in order. */
  get waiting() {
    return this.#chat.outbox.of(this.id);
  }

  /** @returns {Message | undefined} */
  get last() {
    const last = this.#timeline.messages.at(-1);
    return last && this.#wishes.apply(last);
  }

  /** The newest number. */
  get head() {
    return Math.max(this.#timeline.high, this.info?.last_number ?? 0);
  }

  get unread() {
    return this.me ? Math.max(0, this.head - this.me.last_read) : 0;
  }

  get hasOlder() {
    return this.#timeline.before !== null;
  }

  /** Whether the first page is here. */
  get loaded() {
    const { cursor, before, messages } = this.#timeline;
    return cursor !== "" && (before === null || messages.length >= PAGE / 2);
  }

  /** Who types, by name. */
  get typing() {
    return [...this.#typing.values()].map(({ name }) => name);
  }

  /** The other one in a direct room. */
  get other() {
    const { me } = this.#chat;
    return this.info?.kind === "direct" ? (this.info.members?.find(({ id }) => id !== me?.id) ?? null) : null;
  }

  /** What the user calls this room. */
  get name() {
    return this.info?.name || this.other?.name || "";
  }

  /** Names of those who have read as far as `number`, without the user and the author. @param {Message} message */
  readers({ number, author }) {
    const { me } = this.#chat;
    const members = this.info?.members ?? [];
    return members.filter(({ id }) => id !== me?.id && id !== author?.id && (this.reads.get(id) ?? 0) >= number).map(({ name }) => name);
  }

  /**
   * Keep the room open until the returned function is called.
   *
   * @param {boolean} [reading] the messages are shown, not only that there are some
   * @returns {() => void}
   */
  hold(reading = true) {
    const holder = {};
    this.#chat.env.clearTimeout(this.#linger);
    const first = !this.#holders.size;
    this.#holders.set(holder, reading);
    if (first) this.open();
    if (reading) this.load();
    return () => {
      if (!this.#holders.delete(holder)) return;
      if (!this.#reading) this.#timeline.trim(AWAY);
      if (!this.#holders.size) this.#linger = this.#chat.env.setTimeout(() => this.#close(), LINGER);
    };
  }

  get #reading() {
    return [...this.#holders.values()].includes(true);
  }

  /** Subscribe, and continue from where we are. Called at every connect and at every hole. */
  async open() {
    if (!this.#chat.live || !this.#holders.size || this.gone) return;
    if (this.#opening) {
      this.#again = true;
      return;
    }
    this.#opening = true;
    this.#again = false;
    try {
      const limit = this.#reading ? PAGE : 1;
      const { info, me } = await this.#chat.call({ type: "room.open", room: this.id, since: this.#timeline.cursor, limit });
      this.describe(info, me);
    } catch (error) {
      const { reason, retry } = /** @type {import("./client.js").Refused} */ (error);
      if (reason === "not-found") this.gone = true;
      else if (retry) this.#chat.env.setTimeout(() => this.open(), retry);
    }
    this.#opening = false;
    this.#chat.changed();
    if (this.#again) this.open();
    else if (this.#reading) this.load();
  }

  /** @param {import("./types.js").RoomInfo} info @param {import("./types.js").Me} [me] */
  describe(info, me) {
    this.gone = false;
    this.info = info;
    this.online = info.online;
    this.onlineCount = info.online_count;
    for (const { id, last_read } of info.members ?? []) this.#read(id, last_read);
    if (me) this.me = { ...me, last_read: Math.max(me.last_read, this.me?.last_read ?? 0) };
    this.#chat.changed();
  }

  /** Begin from a row of the list. @param {import("./types.js").ListedRoom} row */
  adopt({ info, me, last, cursor }) {
    this.#timeline.begin(cursor, last);
    if (last) this.#learn([last]);
    this.describe(info, me);
  }

  /**
   * Take a frame of this room.
   *
   * @param {any} frame
   */
  apply(frame) {
    const { type, user, upto } = frame;
    if (type === "message" || type === "reset") this.#messages(frame);
    else if (type === "receipt") this.#read(user, upto);
    else if (type === "presence") [this.online, this.onlineCount] = [frame.online, frame.count];
    else if (type === "typing") this.#types(user, frame.expires);
    else if (type === "room") {
      if (frame.info) this.describe(frame.info);
      if (frame.event === "removed") this.gone = true;
      if (frame.event === "added") this.open();
    }
    this.#chat.changed();
  }

  /** @param {string} head of a heartbeat */
  heartbeat(head) {
    if (this.#timeline.behind(head)) this.open();
  }

  /** Fetch the first page, unless it is here. */
  load() {
    if (!this.loaded && this.#timeline.cursor) return this.loadOlder();
  }

  /** Fetch the page before the oldest message. @param {number} [limit] */
  async loadOlder(limit = PAGE) {
    const { before, resets } = this.#timeline;
    if (this.loading || before === null || !this.#chat.live) return;
    this.loading = true;
    this.error = null;
    this.#chat.changed();
    try {
      const page = await this.#chat.call({ type: "history", room: this.id, before, limit });
      if (resets === this.#timeline.resets && before === this.#timeline.before) {
        this.#timeline.page(page);
        this.#learn(page.messages);
      }
    } catch {
      this.error = this.#chat.text("couldNotLoadMessages", "Could not load messages.");
    }
    this.loading = false;
    this.#chat.changed();
  }

  /** Fetch older pages until a message is here. @param {number} number @returns {Promise<boolean>} */
  async reach(number) {
    while (number < this.#timeline.low && this.hasOlder) {
      const { low } = this.#timeline;
      await this.loadOlder(MORE);
      if (this.#timeline.low === low) break;
    }
    return this.#timeline.get(number) !== undefined;
  }

  /** The message that a reply quotes; asked for if it is not here. @param {number} number @returns {Message | null} */
  quote(number) {
    const here = this.#timeline.get(number);
    if (here) return this.#wishes.apply(here);
    if (!this.#quoted.has(number) && this.#chat.live) {
      this.#quoted.set(number, null);
      this.#chat.call({ type: "history", room: this.id, after: number - 1, limit: 1 }).then(
        ({ messages: [message] }) => {
          this.#quoted.set(number, message?.number === number ? message : null);
          this.#chat.changed();
        },
        () => this.#quoted.delete(number),
      );
    }
    return this.#quoted.get(number) ?? null;
  }

  /** The reader is at the end: what is far above can go. */
  atEnd() {
    this.#timeline.trim(KEPT);
  }

  /**
   * Send a message: now, or as soon as there is a connection.
   *
   * @param {string} body
   * @param {number | null} [reply_to]
   * @returns {boolean} false: nothing to send, or too much waits already
   */
  send(body, reply_to = null) {
    if (!body.trim()) return false;
    const entry = this.#chat.outbox.add({ room: this.id, body, reply_to });
    if (!entry) return false;
    this.#toldTyping = 0;
    this.#chat.flush(this.id);
    this.#chat.changed();
    return true;
  }

  /** The server stored a message of ours. @param {Entry} entry @param {{number: number, created_at: string}} ack */
  sent({ id, body, reply_to }, { number, created_at }) {
    const { me } = this.#chat;
    if (!this.#timeline.cursor) return; // not open: what lies between is not here either
    // Version 0: the server's own message, when it comes, counts more.
    this.#timeline.put({ number, version: 0, kind: "text", client_id: id, author: me, subject: null, body, reply_to,
      created_at, edited_at: null, deleted: null, reactions: [] });
    if (me) this.#read(me.id, number);
  }

  /** Send everything again that failed for good. */
  retryAll() {
    for (const { id, state } of this.waiting) if (state === "failed") this.#chat.outbox.change(id, { state: "queued", error: undefined });
    this.#chat.flush(this.id);
    this.#chat.changed();
  }

  /** Give up what failed for good. */
  deleteAll() {
    for (const { id, state } of this.waiting) if (state === "failed") this.#chat.outbox.drop(id);
    this.#chat.changed();
  }

  /** @param {Message} message @param {string} body @returns {Promise<boolean>} */
  edit(message, body) {
    const show = (/** @type {Message} */ before) => ({ ...before, body, edited_at: new Date(this.#chat.env.now()).toISOString() });
    return this.#wish(message, show, { type: "message.edit", body }, "couldNotEdit", "Could not save the change.");
  }

  /** @param {Message} message @returns {Promise<boolean>} */
  delete(message) {
    const by = message.author?.id === this.#chat.me?.id ? "author" : "moderator";
    const show = (/** @type {Message} */ before) => ({ ...before, body: "", reactions: [], deleted: /** @type {"author"} */ (by) });
    return this.#wish(message, show, { type: "message.delete" }, "couldNotDelete", "Could not delete the message.");
  }

  /** @param {Message} message @param {string} emoji @returns {Promise<boolean>} */
  react(message, emoji) {
    const me = this.#chat.me?.id ?? "";
    const show = (/** @type {Message} */ before) => ({ ...before, reactions: toggled(before.reactions, emoji, me) });
    return this.#wish(message, show, { type: "reaction.toggle", emoji }, "couldNotReact", "Could not save the reaction.");
  }

  /** @param {boolean} on */
  async mute(on) {
    await this.#chat.call({ type: "room.mute", room: this.id, on });
    if (this.me) this.me = { ...this.me, muted: on };
    this.#chat.changed();
  }

  /** The user is writing, or has stopped. @param {boolean} on */
  type(on) {
    const now = this.#chat.env.now();
    if (on ? now - this.#toldTyping < TYPING : !this.#toldTyping) return;
    this.#toldTyping = on ? now : 0;
    if (this.info?.members) this.#chat.call({ type: "typing", room: this.id, on }).catch(() => {});
  }

  /** The user has seen everything that is here. One receipt at a time; the last one counts. */
  async markRead() {
    const upto = this.#timeline.high;
    if (!this.me || this.me.last_read >= upto || this.#receipt || !this.#chat.live) return;
    this.#receipt = true;
    const done = () => {
      this.#receipt = false;
      this.#chat.changed();
    };
    try {
      await this.#chat.call({ type: "receipt", room: this.id, upto });
      this.#read(this.#chat.me?.id ?? "", upto);
      done();
    } catch {
      this.#chat.env.setTimeout(done, AGAIN);
    }
  }

  #close() {
    if (this.#holders.size) return;
    this.#typing.clear();
    if (this.#chat.live) this.#chat.call({ type: "room.close", room: this.id }).catch(() => {});
  }

  /** @param {any} frame */
  #messages(frame) {
    const { hole, arrivals } = this.#timeline.apply(frame);
    this.#learn(frame.messages);
    for (const { author } of arrivals) if (author) this.#typing.delete(author.id);
    const others = arrivals.filter(({ author }) => author?.id !== this.#chat.me?.id);
    if (others.length) this.#chat.emit("message", { room: this, messages: others });
    if (frame.type === "reset") this.#quoted.clear();
    if (!this.#reading && arrivals.length) this.#timeline.trim(AWAY);
    if (hole) this.open();
  }

  /** What the server has need not be sent, and its author has read it. @param {Message[]} messages */
  #learn(messages) {
    for (const { client_id, author, number } of messages) {
      if (client_id) this.#chat.outbox.drop(client_id); // nobody else knows the id of what is not stored yet
      if (author) this.#read(author.id, number);
    }
  }

  /** @param {Id} user @param {number} upto */
  #read(user, upto) {
    this.reads.set(user, Math.max(upto, this.reads.get(user) ?? 0));
    if (this.me && user === this.#chat.me?.id) this.me = { ...this.me, last_read: Math.max(upto, this.me.last_read) };
  }

  /** @param {import("./types.js").Actor} user @param {number} expires seconds */
  #types({ id, name }, expires) {
    if (id === this.#chat.me?.id) return;
    this.#typing.delete(id);
    if (expires) this.#typing.set(id, { name, until: this.#chat.env.now() + expires * 1000 });
    this.#forgetTyping();
  }

  #forgetTyping() {
    const { now, setTimeout, clearTimeout } = this.#chat.env;
    for (const [id, { until }] of this.#typing) if (until <= now()) this.#typing.delete(id);
    clearTimeout(this.#typingTimer);
    const next = Math.min(...[...this.#typing.values()].map(({ until }) => until));
    if (next < Infinity) this.#typingTimer = setTimeout(() => this.#forgetTyping(), next - now());
    this.#chat.changed();
  }

  /**
   * Show a change, ask for it, and take it back with a sentence if the server says no.
   *
   * @param {Message} message
   * @param {(message: Message) => Message} show
   * @param {{type: string, [field: string]: any}} command
   * @param {string} key
   * @param {string} sentence
   */
  async #wish(message, show, command, key, sentence) {
    const { number } = message;
    const wish = this.#wishes.add(this.#timeline.get(number) ?? message, show);
    this.#chat.changed();
    try {
      await this.#chat.call({ ...command, room: this.id, number });
      this.#wishes.settle(wish, this.#timeline.get(number));
      return true;
    } catch {
      this.#wishes.cancel(wish);
      this.#chat.emit("failure", { room: this, message: this.#chat.text(key, sentence) });
      return false;
    } finally {
      this.#chat.changed();
    }
  }
}

/**
 * @param {import("./types.js").Reaction[]} reactions
 * @param {string} emoji
 * @param {Id} me
 */
function toggled(reactions, emoji, me) {
  const found = reactions.find((reaction) => reaction.emoji === emoji);
  if (!found) return [...reactions, { emoji, count: 1, users: [me] }];
  const mine = found.users.includes(me);
  const users = mine ? found.users.filter((user) => user !== me) : [...found.users, me];
  const changed = { emoji, count: found.count + (mine ? -1 : 1), users };
  return reactions.map((reaction) => (reaction === found ? changed : reaction)).filter(({ count }) => count > 0);
}
