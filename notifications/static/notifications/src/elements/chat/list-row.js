/** One conversation in the list: who is here, the last message or a draft, and how many are unread. */

import { countText } from "../../core/locale.js";
import { h, hidden, redraw } from "../dom.js";
import { icon, isHere, roomAvatar } from "./chat-element.js";
import { briefly } from "./dates.js";

/** @typedef {import("../../chat/room.js").Room} Room */

export class ListRow {
  #owner;

  link = /** @type {HTMLAnchorElement} */ (
    h("a", { class: "main", part: "link", onclick: (/** @type {MouseEvent} */ event) => this.#choose(event) })
  );
  element = h("li", { part: "room" }, this.link);

  /**
   * @param {import("./list.js").ChatList} owner
   * @param {Room} room
   */
  constructor(owner, room) {
    this.#owner = owner;
    this.room = room;
  }

  update() {
    redraw(this.link, this.#key(), () => this.#content());
  }

  #content() {
    const owner = this.#owner;
    const { room, link } = this;
    const { unread } = room;
    const muted = !!room.me?.muted;
    link.href = (owner.getAttribute("href") ?? "?room={id}").replace("{id}", `${room.id}`);
    link.ariaCurrent = this.#current ? "page" : null;
    this.element.className = [unread && !muted && "unread", this.#current && "current"].filter(Boolean).join(" ");
    const here = () => h("span", { class: "here" }, hidden(owner.text("here")));
    return [
      h("span", { class: "face" }, roomAvatar(room), isHere(room) ? here() : null),
      h(
        "span",
        { class: "words" },
        this.#head(muted),
        h("span", { class: "tail" }, h("span", { class: "preview" }, ...this.#preview()), this.#badge(unread)),
      ),
    ];
  }

  get #current() {
    return this.#owner.getAttribute("current") === `${this.room.id}`;
  }

  /** Everything that the row shows. */
  #key() {
    const { room } = this;
    const { last, me } = room;
    const { client } = this.#owner;
    return [
      room.name,
      isHere(room),
      room.unread,
      me?.muted,
      last?.number,
      last?.version,
      last?.deleted,
      room.typing,
      room.waiting.length,
      this.#owner.getAttribute("href"),
      this.#current,
      client.drafts.get(room.id).body,
      client.me?.id,
      new Date(client.now()).getDate(),
    ].join("\u0000");
  }

  /** @param {MouseEvent} event */
  #choose(event) {
    if (event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const chosen = new CustomEvent("room-select", {
      detail: { room: this.room.id },
      bubbles: true,
      composed: true,
      cancelable: true,
    });
    if (!this.#owner.dispatchEvent(chosen)) event.preventDefault();
  }

  /** @param {boolean} muted */
  #head(muted) {
    const owner = this.#owner;
    const { last, name } = this.room;
    const at = last && new Date(last.created_at);
    return h(
      "span",
      { class: "head" },
      h("bdi", { class: "name" }, name),
      muted ? h("span", { class: "muted" }, icon("muted"), hidden(owner.text("muted"))) : null,
      at
        ? h("time", { datetime: at.toISOString() }, briefly(at, new Date(owner.client.now()), owner.client.locale))
        : null,
    );
  }

  /** @param {number} unread */
  #badge(unread) {
    if (!unread) return null;
    const owner = this.#owner;
    const count = countText(unread, owner.client.locale);
    const shown = h("span", { "aria-hidden": "true" }, count);
    return h("span", { class: "badge" }, shown, hidden(owner.text("unreadCount", { count })));
  }

  /** @returns {(Node | string)[]} */
  #preview() {
    const { client } = this.#owner;
    const owner = this.#owner;
    const { last, typing, waiting, info, id } = this.room;
    const words = (/** @type {string} */ text) => h("bdi", {}, text);
    if (typing.length) return [h("em", {}, owner.text("typing"))];
    const draft = client.drafts.get(id).body.trim();
    if (draft && !this.#current) return [h("em", {}, owner.text("draft")), words(draft)];
    const mine = waiting.at(-1);
    if (mine) return [icon(mine.state === "failed" ? "alert" : "clock"), words(mine.body)];
    if (!last) return [];
    if (last.deleted) return [h("i", {}, owner.text("messageDeleted"))];
    if (last.kind !== "text") {
      return [words([last.subject?.name ?? last.author?.name, last.body].filter(Boolean).join(" · "))];
    }
    const own = last.author?.id === client.me?.id;
    const first = (last.author?.name ?? "").split(" ")[0];
    const who = own ? owner.text("you") : info?.kind === "group" ? first : "";
    return [who ? h("span", {}, words(who), ":") : "", words(last.body)];
  }
}
