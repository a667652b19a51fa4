/** Empties the outbox: one message of a room at a time, so that the order is that of writing. */

const BREATH = 250; // ms at least before a message is sent again that the server could not take

export class Sender {
  #chat;
  /** The rooms with a message on its way, or a pause. @type {Set<number>} */
  #busy = new Set();

  /** @param {import("./client.js").Chat} chat */
  constructor(chat) {
    this.#chat = chat;
  }

  /** @param {number} room */
  async flush(room) {
    const chat = this.#chat;
    const { outbox } = chat;
    const entry = outbox.next(room);
    if (!entry || !chat.live || this.#busy.has(room)) return;
    const { id, body, reply_to } = entry;
    this.#busy.add(room);
    outbox.change(id, { state: "sending" });
    chat.changed();
    try {
      const ack = await chat.call({ type: "message.send", room, id, body, reply_to });
      chat.room(room).sent(entry, ack);
      outbox.drop(id);
      this.#next(room);
    } catch (error) {
      const { reason, message, retry } = /** @type {import("./commands.js").CommandError} */ (error);
      outbox.change(id, retry === null ? { state: "failed", error: message } : { state: "queued" });
      if (reason === "network")
        this.#busy.delete(room); // the next connection continues
      else if (retry === null) this.#next(room);
      else chat.env.setTimeout(() => this.#next(room), Math.max(retry, BREATH));
    }
    chat.changed();
  }

  /** @param {number} room */
  #next(room) {
    this.#busy.delete(room);
    this.flush(room);
  }
}
