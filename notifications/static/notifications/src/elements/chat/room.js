/** `<chat-room room="7">`: a conversation, from its history to the next message. */

import { h, iconButton } from "../dom.js";
import { ChatElement, icon } from "./chat-element.js";
import { Composer } from "./composer.js";
import { ConfirmDialog } from "./confirm-dialog.js";
import { Log } from "./log.js";
import { Notices } from "./notices.js";
import { Picker } from "./picker.js";
import { RoomHeader } from "./room-header.js";
import { renderTyping } from "./typing.js";

/** @typedef {import("../../chat/types.js").Message} Message */
/** @typedef {import("./message-row.js").MessageRow} MessageRow */

const READ_OUT = 3; // arrivals that are read out word by word; more are counted

export class ChatRoom extends ChatElement {
  static observedAttributes = ["room"];

  /** The room that is shown; null without the attribute. @type {import("../../chat/room.js").Room} */
  room = /** @type {any} */ (null);
  #listens = false;
  /** @type {MessageRow | null} */
  #chosen = null;
  /** @type {(() => void) | undefined} */
  #release;

  section = h("section", { class: "room", "aria-labelledby": "name" });
  header = new RoomHeader(this);
  typing = h("div", { class: "typing" });
  failure = h("div", { class: "failure", role: "alert" });
  picker = new Picker(this);
  notices = new Notices(this);
  confirmDialog = new ConfirmDialog((confirmed) => this.#decided(confirmed));
  /** @type {Log} */
  log = /** @type {any} */ (null);
  /** @type {Composer} */
  composer = /** @type {any} */ (null);

  build() {
    this.log = new Log(this, (verb, row) => this.#act(verb, row));
    this.composer = new Composer(this, {
      sent: () => this.log.answered(),
      editLast: () => this.log.ownLast && this.#act("edit", this.log.ownLast),
    });
    this.picker.build();
    this.confirmDialog.build(this);
    this.section.append(
      this.header.root,
      this.notices.connection,
      this.log.root,
      this.typing,
      this.notices.unsent,
      this.failure,
      this.composer.root,
    );
    return [this.section, this.picker.root, this.confirmDialog.root];
  }

  /** @param {AbortSignal} signal */
  listen(signal) {
    super.listen(signal);
    signal.addEventListener("abort", () => {
      this.#listens = false;
      this.notices.stop();
      this.#leave();
    });
    this.on("message", ({ room, messages }) => room === this.room && this.#arrived(messages));
    this.on("failure", ({ room, message }) => room === this.room && this.#fail(message));
    this.#listens = true;
    this.#enter();
  }

  attributeChangedCallback() {
    if (!this.#listens) return; // not in a page yet
    this.#leave();
    this.#enter();
    this.render();
  }

  render() {
    const { room } = this;
    this.section.hidden = !room;
    if (!room) return;
    this.header.render();
    this.log.render();
    renderTyping(this.typing, room.typing, this);
    this.notices.render();
    this.composer.render();
  }

  /** Write into the room's field. */
  focus() {
    this.composer?.field.focus();
  }

  #enter() {
    const id = Number(this.getAttribute("room"));
    this.room = /** @type {any} */ (id ? this.client.room(id) : null);
    if (!this.room) return;
    this.#release = this.room.hold();
    this.failure.replaceChildren();
    this.log.show(this.room);
    this.composer.show(this.room);
  }

  #leave() {
    this.picker.close();
    this.confirmDialog.close();
    this.#release?.();
    this.#release = undefined;
  }

  /** @param {Message[]} messages */
  #arrived(messages) {
    const said = messages.filter(({ kind }) => kind === "text");
    if (said.length > READ_OUT) return this.announce(this.text("arrivedMessages", { count: said.length }));
    for (const { author, body } of said) this.announce(`${author?.name ?? ""}: ${body}`);
  }

  /** @param {string} message */
  #fail(message) {
    const close = () => this.failure.replaceChildren();
    this.failure.replaceChildren(h("span", {}, message), iconButton(icon("close"), this.text("dismiss"), close));
  }

  /**
   * @param {"react" | "reply" | "edit" | "delete"} verb
   * @param {MessageRow} row
   */
  #act(verb, row) {
    const message = /** @type {Message} */ (row.message);
    this.#chosen = row;
    if (verb === "reply") this.composer.answer(message);
    else if (verb === "edit") this.composer.edit(message);
    else if (verb === "delete") this.confirmDialog.ask();
    else this.picker.offer(row.element, (emoji) => this.#react(emoji));
  }

  /** @param {string} emoji */
  #react(emoji) {
    if (!this.#chosen) return;
    this.room.react(/** @type {Message} */ (this.#chosen.message), emoji);
    this.#chosen.element.focus({ preventScroll: true });
  }

  /** @param {boolean} confirmed */
  #decided(confirmed) {
    const row = this.#chosen;
    if (!row) return;
    if (confirmed) this.room.delete(/** @type {Message} */ (row.message));
    row.element.focus({ preventScroll: true });
  }
}
