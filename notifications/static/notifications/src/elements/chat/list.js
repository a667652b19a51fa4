/** `<chat-list href="/chat/{id}/" current="7">`: the reader's conversations, the most recently active first. */

import { button, h } from "../base.js";
import { briefly } from "./dates.js";
import { ChatElement, icon, isHere, roomAvatar } from "./chat-element.js";

/** @typedef {import("../../chat/room.js").Room} Room */

const MINUTE = 60_000; // ms
const MOST = 99; // a larger number says only that there are many

export class ChatList extends ChatElement {
  static observedAttributes = ["current", "href"];

  /** @type {Map<Room, {row: HTMLElement, key: string}>} */
  #rows = new Map();

  list = h("ul", { role: "list", part: "rooms", onkeydown: (/** @type {KeyboardEvent} */ event) => this.#move(event) });
  note = h("div", { class: "note", part: "note" });
  skeleton = h("div", { class: "skeleton" });
  more = button("text more", () => this.client.list.loadMore());

  build() {
    return [this.list, this.skeleton, this.note, this.more];
  }

  /** @param {AbortSignal} signal */
  listen(signal) {
    const clock = setInterval(() => this.render(), MINUTE); // today becomes yesterday
    signal.addEventListener("abort", () => clearInterval(clock));
    signal.addEventListener("abort", this.client.list.hold());
  }

  attributeChangedCallback() {
    if (this.isConnected && this.client) this.render();
  }

  render() {
    const { list } = this.client;
    const { rooms, loaded, error } = list;
    const before = this.#rows;
    this.#rows = new Map();
    for (const room of rooms) {
      const key = this.#key(room);
      const known = before.get(room);
      before.delete(room);
      const row = known?.row ?? this.#row(room);
      if (known?.key !== key) this.#fill(row, room);
      this.#rows.set(room, { row, key });
    }
    for (const { row } of before.values()) row.remove();
    this.#order();
    this.skeleton.hidden = loaded || !!error;
    this.more.hidden = !list.hasMore;
    this.more.textContent = list.loading ? this.text("loading") : this.text("loadMore");
    this.note.hidden = !error && !(loaded && !rooms.length);
    if (this.note.hidden) return;
    const words = error ?? this.text("noRooms");
    if (this.note.dataset.words === words) return;
    this.note.dataset.words = words;
    this.note.replaceChildren(icon(error ? "alert" : "bubbles"), h("strong", {}, words),
      ...(error ? [button("text", () => list.load(), this.text("retry"))] : []));
  }

  /** Put the rows in order; the one that has the focus is never taken out, for it would lose it. */
  #order() {
    let next = this.list.firstChild;
    const rows = [...this.#rows.values()].map(({ row }) => row);
    const focused = rows.find((row) => row.matches(":focus-within"));
    for (const row of rows) {
      if (row === next) next = row.nextSibling;
      else if (row === focused) while (next && next !== row) {
        const after = next.nextSibling;
        row.after(next);
        next = after;
      }
      else this.list.insertBefore(row, next);
      if (row === focused) next = row.nextSibling;
    }
  }

  /** Everything that a row shows. @param {Room} room */
  #key(room) {
    const { last, me } = room;
    return [room.name, isHere(room), room.unread, me?.muted, last?.number, last?.version, last?.deleted, room.typing, room.waiting.length,
      this.getAttribute("href"), this.getAttribute("current") === `${room.id}`, this.client.drafts.get(room.id).body, this.client.me?.id,
      new Date().getDate()].join("\u0000");
  }

  /** @param {Room} room */
  #row(room) {
    const act = (/** @type {MouseEvent} */ event) => {
      if (event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
      const chosen = new CustomEvent("room-select", { detail: { room: room.id }, bubbles: true, composed: true, cancelable: true });
      if (!this.dispatchEvent(chosen)) event.preventDefault();
    };
    return h("li", { part: "room" }, h("a", { class: "main", part: "link", onclick: act }));
  }

  /** @param {HTMLElement} row @param {Room} room */
  #fill(row, room) {
    const { last, unread } = room;
    const muted = !!room.me?.muted;
    const current = this.getAttribute("current") === `${room.id}`;
    const here = isHere(room);
    const link = /** @type {HTMLAnchorElement} */ (row.firstElementChild);
    link.href = (this.getAttribute("href") ?? "?room={id}").replace("{id}", `${room.id}`);
    link.ariaCurrent = current ? "page" : null;
    row.className = [unread && !muted && "unread", current && "current"].filter(Boolean).join(" ");
    const count = unread > MOST ? `${MOST.toLocaleString(this.language)}+` : unread.toLocaleString(this.language);
    const at = last && new Date(last.created_at);
    link.replaceChildren(
      h("span", { class: "face" }, roomAvatar(room), here ? h("span", { class: "here" }, h("span", { class: "hidden" }, this.text("here"))) : null),
      h("span", { class: "words" },
        h("span", { class: "head" },
          h("bdi", { class: "name" }, room.name),
          muted ? h("span", { class: "muted" }, icon("muted"), h("span", { class: "hidden" }, this.text("muted"))) : null,
          at ? h("time", { datetime: at.toISOString() }, briefly(at, new Date(), this.language)) : null),
        h("span", { class: "tail" },
          h("span", { class: "preview" }, ...this.#preview(room)),
          unread ? h("span", { class: "badge" }, h("span", { "aria-hidden": "true" }, count), h("span", { class: "hidden" }, this.text("unreadCount", { count }))) : null)),
    );
  }

  /** @param {Room} room @returns {(Node | string)[]} */
  #preview(room) {
    const { last, typing, waiting } = room;
    if (typing.length) return [h("em", {}, this.text("typing"))];
    const draft = this.client.drafts.get(room.id).body.trim();
    if (draft && this.getAttribute("current") !== `${room.id}`) return [h("em", {}, this.text("draft")), h("bdi", {}, draft)];
    const mine = waiting.at(-1);
    if (mine) return [icon(mine.state === "failed" ? "alert" : "clock"), h("bdi", {}, mine.body)];
    if (!last) return [];
    if (last.deleted) return [h("i", {}, this.text("messageDeleted"))];
    if (last.kind !== "text") return [h("bdi", {}, [last.subject?.name ?? last.author?.name, last.body].filter(Boolean).join(" · "))];
    const own = last.author?.id === this.client.me?.id;
    const who = own ? this.text("you") : room.info?.kind === "group" ? (last.author?.name ?? "").split(" ")[0] : "";
    return [who ? h("span", {}, h("bdi", {}, who), ":") : "", h("bdi", {}, last.body)];
  }

  /** @param {KeyboardEvent} event */
  #move(event) {
    const links = /** @type {HTMLElement[]} */ ([...this.list.querySelectorAll("a")]);
    const here = links.indexOf(/** @type {HTMLElement} */ (event.target));
    const step = { ArrowDown: 1, ArrowUp: -1, Home: -Infinity, End: Infinity }[event.key];
    if (!step || here < 0) return;
    event.preventDefault();
    links[Math.max(0, Math.min(links.length - 1, here + step))].focus();
  }
}
