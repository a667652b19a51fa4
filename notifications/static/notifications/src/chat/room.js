/** One room as an element sees it: what the user can do in it, on top of what is known of it. */

import { confirmUpdate } from "../core/optimistic.js";
import { SyncedRoom } from "./synced-room.js";

const TYPING = 3_000; // ms after which typing is told again; the others forget it after 6 s
const AGAIN = 3_000; // ms after which a receipt that was refused is tried again

/** @typedef {import("./types.js").Message} Message */
/** @typedef {import("./types.js").Entry} Entry */
/** @typedef {import("./types.js").Id} Id */

export class Room extends SyncedRoom {
  #toldTyping = 0;
  #receipt = false;

  /**
   * Send a message: now, or as soon as there is a connection.
   *
   * @param {string} body
   * @param {number | null} [reply_to]
   * @returns {boolean} false: nothing to send, or too much waits already
   */
  send(body, reply_to = null) {
    if (!body.trim()) return false;
    const entry = this.chat.outbox.add({ room: this.id, body, reply_to });
    if (!entry) return false;
    this.#toldTyping = 0;
    this.chat.flush(this.id);
    this.chat.changed();
    return true;
  }

  /** The server stored a message of ours. @param {Entry} entry @param {{number: number, created_at: string}} ack @internal */
  sent({ id, body, reply_to }, { number, created_at }) {
    const { me } = this.chat;
    if (!this.timeline.cursor) return; // not open: what lies between is not here either
    // Version 0: the server's own message, when it comes, counts more.
    this.timeline.put({
      number,
      version: 0,
      kind: "text",
      client_id: id,
      author: me,
      subject: null,
      body,
      reply_to,
      created_at,
      edited_at: null,
      deleted: null,
      reactions: [],
    });
    if (me) this.sawRead(me.id, number);
  }

  /** Send everything again that failed for good. */
  retryAll() {
    for (const { id, state } of this.waiting)
      if (state === "failed") this.chat.outbox.change(id, { state: "queued", error: undefined });
    this.chat.flush(this.id);
    this.chat.changed();
  }

  /** Give up what failed for good. */
  deleteAll() {
    for (const { id, state } of this.waiting) if (state === "failed") this.chat.outbox.drop(id);
    this.chat.changed();
  }

  /** @param {Message} message @param {string} body @returns {Promise<boolean>} */
  edit(message, body) {
    const show = (/** @type {Message} */ before) => ({
      ...before,
      body,
      edited_at: new Date(this.chat.now()).toISOString(),
    });
    return this.#update(message, show, { type: "message.edit", body }, "couldNotEdit");
  }

  /** @param {Message} message @returns {Promise<boolean>} */
  delete(message) {
    const by = message.author?.id === this.chat.me?.id ? "author" : "moderator";
    const show = (/** @type {Message} */ before) => ({
      ...before,
      body: "",
      reactions: [],
      deleted: /** @type {"author"} */ (by),
    });
    return this.#update(message, show, { type: "message.delete" }, "couldNotDelete");
  }

  /** @param {Message} message @param {string} emoji @returns {Promise<boolean>} */
  react(message, emoji) {
    const me = this.chat.me?.id ?? "";
    const show = (/** @type {Message} */ before) => ({ ...before, reactions: toggled(before.reactions, emoji, me) });
    return this.#update(message, show, { type: "reaction.toggle", emoji }, "couldNotReact");
  }

  /** @param {boolean} on */
  async mute(on) {
    await this.chat.call({ type: "room.mute", room: this.id, on });
    if (this.me) this.show({ me: { ...this.me, muted: on } });
  }

  /** The user is writing, or has stopped. @param {boolean} on */
  type(on) {
    const now = this.chat.env.now();
    if (on ? now - this.#toldTyping < TYPING : !this.#toldTyping) return;
    this.#toldTyping = on ? now : 0;
    if (this.info?.members) this.chat.call({ type: "typing", room: this.id, on }).catch(() => {});
  }

  /** The user has seen everything that is here. One receipt at a time; the last one counts. */
  async markRead() {
    const up_to = this.timeline.high;
    if (!this.me || this.me.last_read >= up_to || this.#receipt || !this.chat.live) return;
    this.#receipt = true;
    const done = () => {
      this.#receipt = false;
      this.chat.changed();
    };
    try {
      await this.chat.call({ type: "receipt", room: this.id, up_to });
      this.sawRead(this.chat.me?.id ?? "", up_to);
      done();
    } catch {
      this.chat.env.setTimeout(done, AGAIN);
    }
  }

  /**
   * Show a change, ask for it, and take it back with a sentence if the server says no.
   *
   * @param {Message} message
   * @param {(message: Message) => Message} show
   * @param {{type: string, [field: string]: any}} command
   * @param {string} text the key of what to say then
   */
  #update(message, show, command, text) {
    const { number } = message;
    const current = () => this.timeline.get(number);
    const update = this.updates.add([current() ?? message], show);
    return confirmUpdate(() => this.chat.call({ ...command, room: this.id, number }), {
      changed: () => this.chat.changed(),
      settle: () => (current() ? this.updates.settle(update) : this.updates.cancel(update)),
      cancel: (error) => {
        this.updates.cancel(update);
        this.chat.emit("failure", { room: this, message: this.chat.explain(text, error) });
      },
    });
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
