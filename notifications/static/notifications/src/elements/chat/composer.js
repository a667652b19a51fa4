/** Where a message is written: it grows, keeps drafts, answers, edits, and never loses a word. */

import { canStyle, isTouch } from "../../core/browser.js";
import { h } from "../dom.js";
import { icon } from "./chat-element.js";
import { ComposerContext } from "./composer-context.js";

/** @typedef {import("../../chat/types.js").Message} Message */
/** @typedef {import("../../chat/room.js").Room} Room */

const LONGEST = 4_000; // characters of a message
const WARN = 3_600; // characters from which the count is shown
const IDLE = 5_000; // ms without a key after which nobody types any more

export class Composer {
  /** @type {Room} */
  #room = /** @type {any} */ (null);
  /** @type {Message | null} */
  #edits = null;
  /** @type {number | null} */
  #answers = null;
  #idle = 0;

  /**
   * @param {import("./room.js").ChatRoom} owner
   * @param {{sent: () => void, editLast: () => void}} parts
   */
  constructor(owner, parts) {
    this.owner = owner;
    this.parts = parts;
    const label = owner.text("write");
    this.field = /** @type {HTMLTextAreaElement} */ (
      h("textarea", {
        part: "field",
        rows: 1,
        dir: "auto",
        "aria-label": label,
        placeholder: label,
        enterkeyhint: "send",
        autocomplete: "off",
        oninput: () => this.#typed(),
        onblur: () => this.#stopped(),
        onkeydown: (/** @type {KeyboardEvent} */ event) => this.#key(event),
      })
    );
    this.context = new ComposerContext(owner, () => this.#cancel());
    this.count = h("span", { class: "limit", role: "status" });
    const send = owner.text("send");
    this.button = /** @type {HTMLButtonElement} */ (
      h("button", { class: "send", title: send, "aria-label": send }, icon("send"))
    );
    const submit = (/** @type {Event} */ event) => {
      event.preventDefault();
      this.#send();
    };
    this.root = h(
      "form",
      { class: "composer", onsubmit: submit },
      this.context.root,
      h("div", { class: "field" }, this.field, this.count, this.button),
    );
  }

  /** @param {Room} room */
  show(room) {
    this.#stopped();
    this.#room = room;
    this.#edits = null;
    this.#restore();
  }

  render() {
    const { owner, field } = this;
    const signedOut = owner.client.state.name === "signed-out";
    const off = this.#room.gone || signedOut;
    if (signedOut && field.value) this.#restore(); // nothing is kept
    field.disabled = off;
    const length = field.value.length < WARN ? field.value.length : [...field.value.trim()].length;
    const over = length - LONGEST;
    this.count.textContent =
      length < WARN
        ? ""
        : over > 0
          ? owner.text("tooLong", { count: over })
          : owner.text("charactersLeft", { count: -over });
    this.count.classList.toggle("over", over > 0);
    this.button.disabled = off || over > 0 || !field.value.trim() || (!this.#edits && owner.client.outbox.full);
    this.context.render(this.#edits, this.#answers);
  }

  /** @param {Message} message */
  answer(message) {
    if (this.#edits) this.#restore();
    this.#answers = message.number;
    this.#save();
    this.render();
    this.field.focus();
  }

  /** @param {Message} message */
  edit(message) {
    this.#edits = message;
    this.#put(message.body);
    this.render();
    this.field.focus();
    this.field.setSelectionRange(message.body.length, message.body.length);
  }

  /** Show what was written in this room before. */
  #restore() {
    const { body, reply_to } = this.owner.client.drafts.get(this.#room.id);
    this.#edits = null;
    this.#answers = reply_to;
    this.#put(body);
  }

  /** @param {string} text */
  #put(text) {
    this.field.value = text;
    this.#grow();
  }

  #grow() {
    if (canStyle("field-sizing", "content")) return;
    this.field.style.height = "auto";
    this.field.style.height = `${this.field.scrollHeight}px`;
  }

  #save() {
    if (!this.#edits) this.owner.client.drafts.set(this.#room.id, { body: this.field.value, reply_to: this.#answers });
  }

  #typed() {
    this.#grow();
    this.#save();
    this.render();
    clearTimeout(this.#idle);
    if (this.#edits) return;
    this.#room.type(this.field.value.trim() !== "");
    this.#idle = setTimeout(() => this.#stopped(), IDLE);
  }

  #stopped() {
    clearTimeout(this.#idle);
    this.#room?.type(false);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.isComposing || event.altKey || event.ctrlKey || event.metaKey) return;
    // A touch keyboard has no Shift+Enter: there Enter begins a line, and the button sends.
    if (event.key === "Enter" && !event.shiftKey && !isTouch()) {
      event.preventDefault();
      this.#send();
    } else if (event.key === "Escape" && (this.#edits || this.#answers)) {
      event.preventDefault();
      this.#cancel();
    } else if (event.key === "ArrowUp" && !this.field.value) {
      event.preventDefault();
      this.parts.editLast();
    }
  }

  #cancel() {
    if (this.#edits) this.#restore();
    this.#answers = null;
    this.#save();
    this.render();
    this.field.focus();
  }

  async #send() {
    if (this.button.disabled) return;
    const body = this.field.value.trim();
    const edits = this.#edits;
    if (edits) {
      const { field } = this;
      field.readOnly = true; // until it is saved: a change that the server refuses is still there to be mended
      const saved = body === edits.body || (await this.#room.edit(edits, body));
      field.readOnly = false;
      if (saved && this.#edits === edits) this.#restore();
      this.render();
    } else if (this.#room.send(body, this.#answers)) {
      clearTimeout(this.#idle);
      this.#answers = null;
      this.#put("");
      this.#save();
      this.render();
      this.parts.sent();
    }
  }
}
