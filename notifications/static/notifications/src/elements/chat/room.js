/** `<chat-room room="7">`: a conversation, from its history to the next message. */

import { button, h } from "../base.js";
import { mood } from "../calm.js";
import { Composer } from "./composer.js";
import { ChatElement, icon, isHere, roomAvatar } from "./element.js";
import { Log } from "./log.js";

/** @typedef {import("../../chat/types.js").Message} Message */
/** @typedef {import("./message.js").MessageRow} MessageRow */

const EMOJI = ["👍", "❤️", "😂", "🎉", "😮", "😢", "🙏", "🔔"];
const READ_OUT = 3; // arrivals that are read out word by word; more are counted
const MARGIN = 8; // px between the choice of reactions and the edges of the window

export class ChatRoom extends ChatElement {
  static observedAttributes = ["room"];

  /** @type {import("../../chat/room.js").Room} */
  room = /** @type {any} */ (null);
  /** @type {MessageRow | null} */
  #chosen = null;
  /** @type {(() => void) | undefined} */
  #release;
  #timer = 0;
  #wasLive = false;
  #counting = false;

  heading = h("bdi");
  about = h("span", { class: "about" });
  face = h("span", { class: "face" });
  typing = h("div", { class: "typing", part: "typing" });
  notice = h("div", { class: "notice", part: "notice", role: "status" });
  unsent = h("div", { class: "unsent", part: "unsent", role: "status" });
  failure = h("div", { class: "failure", part: "failure", role: "alert" });
  picker = h("div", { class: "picker", part: "picker", popover: "auto", role: "group", onkeydown: (/** @type {KeyboardEvent} */ event) => this.#pick(event) });
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
    this.picker.ariaLabel = this.text("react");
    this.picker.append(...EMOJI.map((emoji) => button("emoji", () => this.#react(emoji), emoji)));
    this.picker.addEventListener("toggle", (event) => {
      if (/** @type {ToggleEvent} */ (event).newState === "open") /** @type {HTMLElement} */ (this.picker.firstElementChild).focus();
    });
    this.doubt.append(
      h("p", { id: "doubt" }, this.text("deleteMessage")),
      h("form", { method: "dialog" },
        h("button", { class: "text", value: "" }, this.text("cancel")),
        h("button", { class: "text danger", value: "delete" }, this.text("delete"))));
    return [h("section", { class: "room", part: "room", "aria-labelledby": "name" },
      h("header", { part: "header" }, h("slot", { name: "back" }), this.face, h("div", { class: "title" }, h("h2", { id: "name" }, this.heading), this.about), h("slot", { name: "actions" })),
      this.notice, this.log.root, this.typing, this.unsent, this.failure, this.composer.root), this.picker, this.doubt];
  }

  /** @param {AbortSignal} signal */
  listen(signal) {
    document.addEventListener("visibilitychange", () => this.render(), { signal });
    signal.addEventListener("abort", () => {
      clearTimeout(this.#timer);
      this.#leave();
    });
    this.on("state", () => this.render());
    this.on("message", ({ room, messages }) => room === this.room && this.#arrived(messages));
    this.on("failure", ({ room, message }) => room === this.room && this.#fail(message));
    this.#enter();
  }

  attributeChangedCallback() {
    if (!this.#release) return; // not in a page yet
    this.#leave();
    this.#enter();
    this.render();
  }

  render() {
    const { room } = this;
    if (!room) return;
    this.#header();
    this.log.render();
    this.#typing();
    this.#unsent();
    this.#notice();
    this.composer.render();
  }

  /** Write into the room's field. */
  focus() {
    this.composer?.field.focus();
  }

  #enter() {
    this.room = this.client.room(Number(this.getAttribute("room")));
    this.#release = this.room.hold();
    this.failure.replaceChildren();
    this.log.show(this.room);
    this.composer.show(this.room);
  }

  #leave() {
    if (this.picker.matches(":popover-open")) this.picker.hidePopover();
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
    else if (info.kind === "direct") this.about.textContent = here ? this.text("here") : this.text("away");
    else this.about.textContent = room.onlineCount ? `${members} · ${online}` : members;
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

  /** What failed for good waits for a decision. */
  #unsent() {
    const { room, client } = this;
    const count = room.waiting.filter(({ state }) => state === "failed").length;
    const key = `${count} ${client.outbox.full}`;
    if (this.unsent.dataset.key === key) return;
    this.unsent.dataset.key = key;
    const full = this.text("outboxFull");
    if (!count) return this.unsent.replaceChildren(...(client.outbox.full ? [h("span", {}, full)] : []));
    this.unsent.replaceChildren(
      h("span", {}, count === 1 ? this.text("unsentOne") : this.text("unsent", { count })),
      button("text", () => room.retryAll(), count === 1 ? this.text("retry") : this.text("retryAll")),
      button("text", () => room.deleteAll(), count === 1 ? this.text("delete") : this.text("deleteAll")),
    );
  }

  /** The connection in words, only when there is something to say. */
  #notice() {
    const { client, room } = this;
    const now = Date.now();
    const seen = mood(client.state, now, this.#wasLive, this.#counting);
    if (seen.tone === "good") this.#wasLive = true;
    this.#counting = seen.counting;
    this.setAttribute("state", client.state.name);
    clearTimeout(this.#timer);
    if (seen.again !== null) this.#timer = setTimeout(() => this.render(), seen.again);
    let words = "";
    /** @type {[string, () => void] | null} */
    let action = null;
    if (room.gone) words = this.text("roomGone");
    else if (seen.name === "signed-out") [words, action] = [this.text("signed-out"), [this.text("reload"), () => location.reload()]];
    else if (seen.name === "closed") [words, action] = [this.text("closed"), [this.text("tryNow"), () => client.retryNow()]];
    else if (seen.tone !== "good" && (seen.serious || this.#wasLive)) {
      words = seen.name === "offline" ? this.text("chatOffline") : this.text("chatReconnecting");
      if (seen.counting) action = [this.text("tryNow"), () => client.retryNow()];
    }
    const key = `${words} ${action?.[0]}`;
    if (this.notice.dataset.key === key) return;
    this.notice.dataset.key = key;
    this.notice.replaceChildren(...(words ? [h("span", {}, words)] : []), ...(action ? [button("text", action[1], action[0])] : []));
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
    else this.#offer(row.element);
  }

  /** Show the reactions above the message, inside the window. @param {HTMLElement} row */
  #offer(row) {
    this.picker.showPopover();
    const from = (row.querySelector('[data-tool="smile"]') ?? row).getBoundingClientRect();
    const { width, height } = this.picker.getBoundingClientRect();
    const left = from.left + from.width / 2 - width / 2;
    const above = from.top - height - MARGIN;
    this.picker.style.left = `${Math.max(MARGIN, Math.min(left, document.documentElement.clientWidth - width - MARGIN))}px`;
    this.picker.style.top = `${above < MARGIN ? from.bottom + MARGIN : above}px`;
  }

  /** @param {string} emoji */
  #react(emoji) {
    this.picker.hidePopover();
    if (!this.#chosen) return;
    this.room.react(/** @type {Message} */ (this.#chosen.message), emoji);
    this.#chosen.element.focus({ preventScroll: true });
  }

  /** @param {KeyboardEvent} event */
  #pick(event) {
    const all = /** @type {HTMLElement[]} */ ([...this.picker.children]);
    const here = all.indexOf(/** @type {HTMLElement} */ (event.target));
    const forward = getComputedStyle(this).direction === "rtl" ? "ArrowLeft" : "ArrowRight";
    const step = event.key === forward ? 1 : /^Arrow(Left|Right)$/.test(event.key) ? -1 : 0;
    if (!step) return;
    event.preventDefault();
    all[(here + step + all.length) % all.length].focus();
  }

  #decided() {
    const row = this.#chosen;
    if (!row) return;
    if (this.doubt.returnValue === "delete") this.room.delete(/** @type {Message} */ (row.message));
    this.doubt.returnValue = "";
    row.element.focus({ preventScroll: true });
  }
}
