/** `<chat-room room="7">`: a conversation, from its history to the next message. */

import { button, h } from "../base.js";
import { Composer } from "./composer.js";
import { ChatElement, icon, isCurrent, isHere, roomAvatar } from "./chat-element.js";
import { Log } from "./log.js";
import { Notices } from "./notices.js";
import { Picker } from "./picker.js";

/** @typedef {import("../../chat/types.js").Message} Message */
/** @typedef {import("./message.js").MessageRow} MessageRow */

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
  heading = h("bdi");
  about = h("span", { class: "about" });
  face = h("span", { class: "face" });
  typing = h("div", { class: "typing" });
  failure = h("div", { class: "failure", role: "alert" });
  picker = new Picker(this);
  notices = new Notices(this);
  doubt = /** @type {HTMLDialogElement} */ (h("dialog", { part: "dialog", "aria-labelledby": "doubt", closedby: "any", onclose: () => this.#decided() }));
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
    this.doubt.append(
      h("p", { id: "doubt" }, this.text("deleteMessage")),
      h("form", { method: "dialog" },
        h("button", { class: "text", value: "" }, this.text("cancel")),
        h("button", { class: "text danger", value: "delete" }, this.text("delete"))));
    this.section.append(
      h("header", { part: "header" }, h("slot", { name: "back" }), this.face, h("div", { class: "title" }, h("h2", { id: "name" }, this.heading), this.about), h("slot", { name: "actions" })),
      this.notices.connection, this.log.root, this.typing, this.notices.unsent, this.failure, this.composer.root);
    return [this.section, this.picker.root, this.doubt];
  }

  /** @param {AbortSignal} signal */
  listen(signal) {
    document.addEventListener("visibilitychange", () => this.render(), { signal });
    signal.addEventListener("abort", () => {
      this.#listens = false;
      this.notices.stop();
      this.#leave();
    });
    this.on("state", () => this.render());
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
    this.#header();
    this.log.render();
    this.#typing();
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
    if (this.doubt.open) this.doubt.close();
    this.#release?.();
    this.#release = undefined;
  }

  #header() {
    const { room } = this;
    const { info } = room;
    const here = isHere(room);
    const key = `${room.name} ${info?.kind} ${here}`;
    if (this.face.dataset.key !== key) {
      this.face.dataset.key = key;
      this.face.replaceChildren(...(info ? [roomAvatar(room), ...(here ? [h("span", { class: "here" })] : [])] : []));
    }
    this.heading.textContent = room.name || this.text("conversation");
    const members = this.text("memberCount", { count: info?.member_count ?? 0 });
    const online = this.text("onlineCount", { count: room.onlineCount });
    if (!info) this.about.textContent = "";
    else if (info.kind === "direct") this.about.textContent = isCurrent(room) ? this.text(here ? "here" : "away") : "";
    else this.about.textContent = room.onlineCount && isCurrent(room) ? `${members} · ${online}` : members;
  }

  #typing() {
    const names = this.room.typing;
    const [name] = names;
    const words = !names.length ? "" : names.length === 1
      ? this.text("typingOne", { name })
      : names.length > 3 ? this.text("typingMany")
      : this.text("typingSome", { names: new Intl.ListFormat(this.language).format(names) });
    if (this.typing.dataset.words === words) return;
    this.typing.dataset.words = words;
    this.typing.replaceChildren(...(words ? [h("span", { class: "dots", "aria-hidden": "true" }, h("i"), h("i"), h("i")), h("span", {}, words)] : []));
  }

  /** @param {Message[]} messages */
  #arrived(messages) {
    const said = messages.filter(({ kind }) => kind === "text");
    if (said.length > READ_OUT) return this.announce(this.text("arrivedMessages", { count: said.length }));
    for (const { author, body } of said) this.announce(`${author?.name ?? ""}: ${body}`);
  }

  /** @param {string} message */
  #fail(message) {
    const label = this.text("dismiss");
    this.failure.replaceChildren(h("span", {}, message),
      button("icon", () => this.failure.replaceChildren(), icon("close"), { title: label, "aria-label": label }));
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
    else if (verb === "delete") this.doubt.showModal();
    else this.picker.offer(row.element, (emoji) => this.#react(emoji));
  }

  /** @param {string} emoji */
  #react(emoji) {
    if (!this.#chosen) return;
    this.room.react(/** @type {Message} */ (this.#chosen.message), emoji);
    this.#chosen.element.focus({ preventScroll: true });
  }

  #decided() {
    const row = this.#chosen;
    if (!row) return;
    if (this.doubt.returnValue === "delete") this.room.delete(/** @type {Message} */ (row.message));
    this.doubt.returnValue = "";
    row.element.focus({ preventScroll: true });
  }
}
