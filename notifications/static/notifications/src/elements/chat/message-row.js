/** One message on the screen. It stays the same element for life and changes in parts, so that focus and scroll stay. */

import { h, hidden, redraw } from "../dom.js";
import { avatar } from "./chat-element.js";
import { MessageActions } from "./message-actions.js";
import { authorOf, drawBody, drawMeta, drawQuote, drawReactions, reactionsKey, timeSent } from "./message-parts.js";

/** @typedef {import("../../chat/types.js").Message} Message */
/** @typedef {import("../../chat/types.js").Entry} Entry */
/** @typedef {import("./row-states.js").RowState} RowState */

export class MessageRow {
  #log;
  #actions;
  /** @type {Record<string, HTMLElement>} */
  #parts = {};
  #current = false;

  element = h("li", { class: "row", tabindex: "-1" });
  /** @type {Message | Entry} */
  message = /** @type {any} */ (null);
  /** @type {RowState} */
  state = /** @type {any} */ (null);

  /** @param {import("./log.js").Log} log */
  constructor(log) {
    this.#log = log;
    for (const name of ["day", "fresh", "avatar", "author", "quote", "body", "meta", "reactions", "status"]) {
      this.#parts[name] = h("div", { class: name });
    }
    const { day, fresh, avatar, author, quote, body, meta, reactions, status } = this.#parts;
    const line = h("div", { class: "line" }, h("div", { class: "bubble" }, author, quote, body, meta));
    const stack = h("div", { class: "stack" }, line, reactions, status);
    this.element.append(day, fresh, h("div", { class: "person" }, avatar, stack));
    this.#actions = new MessageActions(log, this, line);
    const near = () => {
      if (this.#actions.renderActions()) this.#setTabStops();
    };
    for (const type of ["pointerenter", "focusin"]) this.element.addEventListener(type, near);
  }

  /** The number; null while it is not sent. */
  get number() {
    return "number" in this.message ? this.message.number : null;
  }

  /** Whether Tab stops here; the buttons and links of all the others would be a long way. @param {boolean} on */
  set current(on) {
    if (on === this.#current) return;
    this.#current = on;
    this.element.tabIndex = on ? 0 : -1;
    this.#setTabStops();
  }

  /**
   * @param {Message | Entry} message
   * @param {RowState} state
   */
  update(message, state) {
    if (message === this.message && isSame(state, this.state)) return;
    this.message = message;
    this.state = state;
    const sent = "number" in message ? message : null;
    const event = !!sent && sent.kind !== "text";
    this.#classify(sent, event);
    this.#drawAround(sent, event);
    this.#drawContent(sent, event);
    this.#actions.update();
    this.#setTabStops();
  }

  /** @param {Message | null} sent @param {boolean} event */
  #classify(sent, event) {
    const { own, first, last, tone } = this.state;
    const names = [
      "row",
      event ? "event" : own ? "own" : "other",
      first && "first",
      last && "last",
      sent?.deleted && "deleted",
      (!sent || sent.pending) && "pending",
      tone,
    ];
    this.element.className = names.filter(Boolean).join(" ");
    this.element.part.value = event ? "message event" : own ? "message own" : "message";
  }

  /** What stands beside the words: day, divider, who it was, what became of it. @param {Message | null} sent @param {boolean} event */
  #drawAround(sent, event) {
    const { owner, group } = this.#log;
    const { own, first, last, day, fresh, status, tone } = this.state;
    const author = authorOf(this.#log, this.message);
    const named = !own && first && group;
    this.#draw("day", day, (text) => [h("h3", {}, text)]);
    this.#draw("fresh", fresh && owner.text("newMessages"), (text) => [h("span", {}, text)]);
    this.#draw("avatar", !own && !event && last && `${author} ${sent?.author?.id}`, () => [
      avatar(author, sent?.author?.id ?? ""),
    ]);
    this.#draw("author", !event && `${named} ${author}`, () => [
      h("bdi", { class: named ? "" : "hidden" }, author),
      hidden(": "),
    ]);
    this.#draw("status", status && `${status} ${tone}`, () => [h("span", {}, status)]);
  }

  /** What the message says. @param {Message | null} sent @param {boolean} event */
  #drawContent(sent, event) {
    const { message } = this;
    const { quoted } = this.state;
    const log = this.#log;
    const edited = !!sent?.edited_at && !sent.deleted;
    const at = timeSent(message);
    const quote =
      quoted !== undefined && !sent?.deleted && `${quoted?.body} ${quoted?.deleted} ${quoted?.author?.name}`;
    const body = event
      ? `${sent?.kind} ${authorOf(log, message)} ${sent?.subject?.name} ${sent?.body}`
      : sent?.deleted || `= ${message.body} ${log.people}`;
    this.#draw("quote", quote, () => [drawQuote(log, quoted ?? null, message.reply_to ?? 0)]);
    this.#draw("body", body, () => drawBody(log, message));
    this.#draw("meta", !event && `${at.getTime()} ${edited}`, () => drawMeta(log, at, edited));
    this.#draw("reactions", reactionsKey(log, sent), () =>
      drawReactions(log, /** @type {Message} */ (sent), () => /** @type {Message} */ (this.message)),
    );
  }

  /**
   * Draw a part anew if what it shows has changed.
   *
   * @param {string} name
   * @param {string | false | null | undefined} key empty or false: the part is empty
   * @param {(key: string) => (Node | string)[]} make
   */
  #draw(name, key, make) {
    const part = this.#parts[name];
    const focus = /** @type {HTMLElement | null} */ (part.querySelector(":focus"))?.dataset.emoji;
    redraw(part, key || "", () => (key ? make(key) : []));
    if (!focus || part.matches(":focus-within")) return;
    const same = /** @type {HTMLElement | null} */ (part.querySelector(`[data-emoji="${CSS.escape(focus)}"]`));
    (same ?? this.element).focus();
  }

  #setTabStops() {
    const controls = /** @type {NodeListOf<HTMLElement>} */ (this.element.querySelectorAll("a, button"));
    for (const control of controls) control.tabIndex = this.#current ? 0 : -1;
  }
}

/** @param {RowState} a @param {RowState} b */
function isSame(a, b) {
  return Object.entries(a).every(([key, value]) => b[/** @type {"key"} */ (key)] === value);
}
