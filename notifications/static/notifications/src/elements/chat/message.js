/** One message on the screen. It stays the same element for life and changes in parts, so that focus and scroll stay. */

import { button, h } from "../base.js";
import { avatar, icon } from "./chat-element.js";
import { dayName, timeOf } from "./dates.js";
import { words } from "./linkify.js";

/** @typedef {import("../../chat/types.js").Message} Message */
/** @typedef {import("../../chat/types.js").Entry} Entry */

/**
 * @typedef {object} Look how a message stands among its neighbours
 * @property {string} key
 * @property {boolean} own
 * @property {boolean} first of a run by one author
 * @property {boolean} last
 * @property {boolean} day starts a new day
 * @property {boolean} fresh the first unread one: the divider stands above
 * @property {Message | null | undefined} quoted undefined: no reply; null: not here yet
 * @property {string} status what became of it, for the last own one and for those that wait
 * @property {"" | "failed"} tone
 */

/** What the history tells, by its kind; `Self` where nobody else did it. @type {Record<string, string>} */
const EVENTS = { joined: "eventJoined", joinedSelf: "eventJoinedSelf", left: "eventLeft", leftSelf: "eventLeftSelf", renamed: "eventRenamed",
  role: "eventRole" };

export class MessageRow {
  /** @type {Record<string, string>} */
  #drawn = {};
  /** @type {Record<string, HTMLElement>} */
  #parts = {};
  /** @type {HTMLElement | null} */
  #tools = null;
  #current = false;

  element = h("li", { class: "row", tabindex: "-1" });
  /** @type {Message | Entry} */
  message = /** @type {any} */ (null);
  /** @type {Look} */
  look = /** @type {any} */ (null);

  /** @param {import("./log.js").Log} log */
  constructor(log) {
    this.log = log;
    for (const name of ["day", "fresh", "avatar", "author", "quote", "body", "meta", "reactions", "status"]) {
      this.#parts[name] = h("div", { class: name, part: name });
    }
    const { day, fresh, avatar, author, quote, body, meta, reactions, status } = this.#parts;
    this.bubble = h("div", { class: "bubble", part: "bubble" }, author, quote, body, meta);
    this.line = h("div", { class: "line" }, this.bubble);
    this.element.append(day, fresh, h("div", { class: "person" }, avatar, h("div", { class: "stack" }, this.line, reactions, status)));
    const equip = () => this.#equip();
    for (const type of ["pointerenter", "focusin"]) this.element.addEventListener(type, equip);
  }

  /** The number; null while it is not sent. */
  get number() {
    return "number" in this.message ? this.message.number : null;
  }

  /**
   * @param {Message | Entry} message
   * @param {Look} look
   */
  update(message, look) {
    if (message === this.message && Object.entries(look).every(([key, value]) => this.look[/** @type {"key"} */ (key)] === value)) return;
    this.message = message;
    this.look = look;
    const { owner } = this.log;
    const { client, language } = owner;
    const sent = "number" in message ? message : null;
    const at = new Date("at" in message ? message.at : message.created_at);
    const author = sent ? (sent.author?.name ?? owner.text("deletedAccount")) : (client.me?.name ?? "");
    const event = sent && sent.kind !== "text";
    const { own, first, last, day, fresh, quoted, status, tone } = look;
    const names = ["row", event ? "event" : own ? "own" : "other", first && "first", last && "last", sent?.deleted && "deleted",
      (!sent || sent.pending) && "pending", tone].filter(Boolean);
    this.element.className = names.join(" ");
    this.element.part.value = event ? "message event" : own ? "message own" : "message";
    this.#draw("day", day && dayName(at, new Date(), language), (text) => [h("h3", {}, text)]);
    this.#draw("fresh", fresh && owner.text("newMessages"), (text) => [h("span", {}, text)]);
    this.#draw("avatar", !own && !event && last && `${author} ${sent?.author?.id}`, () => [avatar(author, sent?.author?.id ?? "")]);
    const shown = !own && first && this.log.group;
    this.#draw("author", !event && `${shown} ${author}`, () => [h("bdi", { class: shown ? "" : "hidden" }, author), h("span", { class: "hidden" }, ": ")]);
    this.#draw("quote", quoted !== undefined && `${quoted?.body} ${quoted?.deleted} ${quoted?.author?.name}`, () => [this.#quote(quoted ?? null)]);
    this.#draw("body", event ? `${sent.kind} ${author} ${sent.subject?.name} ${sent.body}` : sent?.deleted || `= ${message.body} ${this.log.people}`, () => this.#body());
    this.#draw("meta", !event && `${at.getTime()} ${sent?.edited_at}`, () => this.#meta(at, sent));
    this.#draw("reactions", sent?.reactions.map(({ emoji, count, users }) => `${emoji}${count}${users.includes(client.me?.id ?? "")}`).join(" "), () => this.#reactions());
    this.#draw("status", status && `${status} ${tone}`, () => [h("span", {}, status)]);
    if (this.#tools) this.#retool();
    this.#tab();
  }

  /** Whether Tab stops here; the buttons and links of all the others would be a long way. @param {boolean} on */
  set current(on) {
    if (on === this.#current) return;
    this.#current = on;
    this.element.tabIndex = on ? 0 : -1;
    this.#tab();
  }

  #tab() {
    for (const control of /** @type {NodeListOf<HTMLElement>} */ (this.element.querySelectorAll("a, button"))) control.tabIndex = this.#current ? 0 : -1;
  }

  /**
   * Draw a part anew if what it shows has changed.
   * @param {string} name
   * @param {string | false | null | undefined} key empty or false: the part is empty
   * @param {(key: string) => (Node | string)[]} make
   */
  #draw(name, key, make) {
    const wanted = key || "";
    if (this.#drawn[name] === wanted) return;
    this.#drawn[name] = wanted;
    const part = this.#parts[name];
    const focus = /** @type {HTMLElement | null} */ (part.querySelector(":focus"))?.dataset.emoji;
    part.replaceChildren(...(wanted ? make(wanted) : []));
    if (focus) (/** @type {HTMLElement | null} */ (part.querySelector(`[data-emoji="${CSS.escape(focus)}"]`)) ?? this.element).focus();
  }

  /** @param {Message | null} quoted */
  #quote(quoted) {
    const { owner } = this.log;
    const number = /** @type {number} */ (this.message.reply_to);
    const text = quoted?.deleted ? owner.text("messageDeleted") : (quoted?.body ?? "…");
    const label = owner.text("inReplyTo");
    return button("quoted", () => this.log.jump(number), h("span", {}, h("span", { class: "hidden" }, `${label} `),
      h("span", { class: "who" }, h("bdi", {}, quoted?.author?.name ?? "")), h("span", { class: "said" }, h("bdi", {}, text))));
  }

  #body() {
    const { message, log } = this;
    const { owner } = log;
    if (!("number" in message)) return [h("p", { dir: "auto" }, ...words(message.body, log.usernames))];
    const { kind, deleted, author, subject, body } = message;
    if (deleted === "moderator") return [owner.text("messageHidden")];
    if (deleted) return [owner.text("messageDeleted")];
    if (kind === "text") return [h("p", { dir: "auto" }, ...words(body, log.usernames))];
    const alone = !author || author.id === subject?.id;
    const key = (alone && EVENTS[`${kind}Self`]) || EVENTS[kind];
    return [key ? owner.text(key, { author: author?.name ?? "", subject: subject?.name ?? "", body }) : body];
  }

  /** @param {Date} at @param {Message | null} sent */
  #meta(at, sent) {
    const { owner } = this.log;
    const time = h("time", { datetime: at.toISOString(), title: at.toLocaleString(owner.language, { dateStyle: "full", timeStyle: "short" }) }, timeOf(at, owner.language));
    return sent?.edited_at ? [owner.text("edited"), " · ", time] : [time];
  }

  #reactions() {
    const { owner, room } = this.log;
    const { client } = owner;
    const message = /** @type {Message} */ (this.message);
    return message.reactions.map(({ emoji, count, users }) => {
      const mine = users.includes(client.me?.id ?? "");
      const names = users.map((id) => room.info?.members?.find((member) => member.id === id)?.name).filter(Boolean).join(", ");
      const act = () => room.react(/** @type {Message} */ (this.message), emoji);
      return button("reaction", act, h("span", {}, emoji, h("span", { class: "count" }, count.toLocaleString(owner.language))),
        { "aria-pressed": `${mine}`, title: names, "data-emoji": emoji, "aria-label": owner.text("reactionCount", { emoji, count }) });
    });
  }

  /** The tools are made when somebody comes near: a thousand messages do not need five thousand buttons. */
  #equip() {
    if (this.#tools || !this.log.room.me) return;
    this.#tools = h("div", { class: "tools", part: "tools", role: "group", "aria-label": this.log.owner.text("messageActions") });
    this.line.append(this.#tools);
    this.#retool();
    this.#tab();
  }

  #retool() {
    const { log, look, message } = this;
    const { owner, room } = log;
    const can = "number" in message && message.kind === "text" && !message.deleted && !room.gone;
    const key = can ? `${look.own} ${room.me?.role}` : "";
    if (this.#drawn.tools === key) return;
    this.#drawn.tools = key;
    /** @type {(name: "smile" | "reply" | "edit" | "trash", label: string, act: () => void) => HTMLElement} */
    const tool = (name, label, act) => button("icon", act, icon(name), { title: label, "aria-label": label, "data-tool": name });
    const mine = look.own;
    this.#tools?.replaceChildren(...(can ? [
      tool("smile", owner.text("react"), () => log.act("react", this)),
      tool("reply", owner.text("reply"), () => log.act("reply", this)),
      ...(mine ? [tool("edit", owner.text("edit"), () => log.act("edit", this))] : []),
      ...(mine || room.me?.role === "moderator" ? [tool("trash", owner.text("delete"), () => log.act("delete", this))] : []),
    ] : []));
  }
}
