/** A room that keeps itself right: it opens, continues from its cursor, notices holes, and pages. */

import { Holders } from "../core/holders.js";
import { RoomState } from "./room-state.js";

const PAGE = 50; // messages
const MORE = 100; // messages of a page on the way to a far one
const AWAY = 50; // messages kept of a room that nobody looks at
const KEPT = 500; // messages kept of one that is read at its end

/** @typedef {import("./types.js").Message} Message */

export class SyncedRoom extends RoomState {
  #holders = new Holders(this.chat.env, () => this.#close());
  /** How many of them show the messages. */
  #readers = 0;
  #opening = false;
  #again = false;
  /** @type {Map<number, Message | null>} messages that are quoted, and too old to be here; null: being asked for */
  #quoted = new Map();

  /**
   * Keep the room open until the returned function is called.
   *
   * @param {boolean} [reading] the messages are shown, not only that there are some
   * @returns {() => void}
   */
  hold(reading = true) {
    const first = !this.#holders.any;
    const release = this.#holders.hold({});
    let held = true;
    if (reading) this.#readers++;
    if (first) this.open();
    if (reading) this.load();
    return () => {
      if (!held) return;
      held = false;
      release();
      if (reading) this.#readers--;
      if (!this.#readers) this.timeline.trim(AWAY);
    };
  }

  /** Forget everything: the user signed out. @internal */
  clear() {
    this.#quoted.clear();
    super.clear();
  }

  /** Subscribe, and continue from where we are. Called at every connect and at every hole. @internal */
  async open() {
    if (!this.chat.live || !this.#holders.any || this.gone) return;
    if (this.#opening) {
      this.#again = true;
      return;
    }
    this.#opening = true;
    this.#again = false;
    try {
      const limit = this.#readers ? PAGE : 1;
      const { info, me } = await this.chat.call({
        type: "room.open",
        room: this.id,
        since: this.timeline.cursor,
        limit,
      });
      this.describe(info, me);
    } catch (error) {
      const { reason, retry } = /** @type {import("./commands.js").CommandError} */ (error);
      if (reason === "not-found") this.show({ gone: true });
      else if (retry) this.chat.env.setTimeout(() => this.open(), retry);
    }
    this.#opening = false;
    this.chat.changed();
    if (this.#again) this.open();
    else if (this.#readers) this.load();
  }

  /** Begin from a row of the list. @param {import("./types.js").ListedRoom} row @internal */
  adopt({ info, me, last, cursor }) {
    this.timeline.begin(cursor, last);
    if (last) this.#learn([last]);
    this.describe(info, me);
  }

  /**
   * Take a frame of this room.
   *
   * @param {any} frame
   * @internal
   */
  apply(frame) {
    const { type, user } = frame;
    if (type === "message" || type === "reset") this.#messages(frame);
    else if (type === "receipt") for (const { user, up_to } of frame.read) this.sawRead(user, up_to);
    else if (type === "presence") this.show({ online: frame.online, onlineCount: frame.count });
    else if (type === "typing") this.heardTyping(user, frame.expires);
    else if (type === "room") {
      if (frame.info) this.describe(frame.info);
      if (frame.event === "removed") this.show({ gone: true });
      if (frame.event === "added") this.open();
    }
    this.chat.changed();
  }

  /** @param {string} head of a heartbeat @internal */
  heartbeat(head) {
    if (this.timeline.behind(head)) this.open();
  }

  /** Fetch the first page, unless it is here. @internal */
  load() {
    if (!this.loaded && this.timeline.cursor) return this.loadOlder();
  }

  /** Fetch the page before the oldest message. @param {number} [limit] */
  async loadOlder(limit = PAGE) {
    const { before, resets } = this.timeline;
    if (this.loading || before === null || !this.chat.live) return;
    this.show({ loading: true, error: null });
    try {
      const command = { type: "history", room: this.id, before, limit };
      let page = await this.chat.call(command);
      if (this.timeline.outdates(page)) page = await this.chat.call(command); // changed while it was on its way
      if (resets === this.timeline.resets && before === this.timeline.before) {
        this.timeline.page(page);
        this.#learn(page.messages);
      }
    } catch (error) {
      if (resets === this.timeline.resets) this.show({ error: this.chat.explain("couldNotLoadMessages", error) });
    }
    this.show({ loading: false });
  }

  /** Fetch older pages until a message is here. @param {number} number @returns {Promise<boolean>} */
  async reach(number) {
    while (number < this.timeline.low && this.hasOlder) {
      const { low } = this.timeline;
      await this.loadOlder(MORE);
      if (this.timeline.low === low) break;
    }
    return this.timeline.get(number) !== undefined;
  }

  /** The message that a reply quotes; asked for if it is not here. @param {number} number @returns {Message | null} */
  quote(number) {
    const here = this.timeline.get(number);
    if (here) return this.updates.view(here);
    if (!this.#quoted.has(number) && this.chat.live) {
      this.#quoted.set(number, null);
      this.chat.call({ type: "history", room: this.id, after: number - 1, limit: 1 }).then(
        ({ messages: [message] }) => {
          this.#quoted.set(number, message?.number === number ? message : null);
          this.chat.changed();
        },
        () => this.#quoted.delete(number),
      );
    }
    return this.#quoted.get(number) ?? null;
  }

  /** The reader is at the end: what is far above can go. @internal */
  atEnd() {
    this.timeline.trim(KEPT);
  }

  #close() {
    this.typists.clear();
    if (this.chat.live) this.chat.call({ type: "room.close", room: this.id }).catch(() => {});
  }

  /** @param {any} frame */
  #messages(frame) {
    const { hole, arrivals } = this.timeline.apply(frame);
    this.#learn(frame.messages);
    for (const { author } of arrivals) if (author) this.typists.delete(author.id);
    const others = arrivals.filter(({ author }) => author?.id !== this.chat.me?.id);
    if (others.length) this.chat.emit("message", { room: /** @type {any} */ (this), messages: others });
    if (frame.type === "reset") this.#quoted.clear();
    if (!this.#readers && arrivals.length) this.timeline.trim(AWAY);
    if (hole) this.open();
  }

  /** What the server has need not be sent, and its author has read it. @param {Message[]} messages */
  #learn(messages) {
    for (const { client_id, author, number } of messages) {
      if (client_id) this.chat.outbox.drop(client_id); // nobody else knows the id of what is not stored yet
      if (author) this.sawRead(author.id, number);
    }
  }
}
