/** `<chat-list href="/chat/{id}/" current="7">`: the reader's conversations, the most recently active first. */

import { KeyedList } from "../../core/keyed-list.js";
import { button, h, redraw } from "../dom.js";
import { ChatElement, icon } from "./chat-element.js";
import { ListRow } from "./list-row.js";

/** @typedef {import("../../chat/room.js").Room} Room */

export class ChatList extends ChatElement {
  static observedAttributes = ["current", "href"];

  #list = h("ul", { role: "list", part: "rooms" });
  /** @type {KeyedList<Room, ListRow>} */
  #rows = new KeyedList(this.#list, {
    key: (room) => room,
    draw: (room, row = new ListRow(this, room)) => {
      row.update();
      return row;
    },
  });
  #note = h("div", { class: "note" });
  #skeleton = h("div", { class: "skeleton" });
  #more = button("text more", () => this.client.list.loadMore());

  build() {
    return [this.#list, this.#skeleton, this.#note, this.#more];
  }

  /** @param {AbortSignal} signal */
  listen(signal) {
    super.listen(signal);
    signal.addEventListener("abort", this.client.list.hold());
  }

  attributeChangedCallback() {
    if (this.isConnected && this.client) this.render();
  }

  render() {
    const { list } = this.client;
    const { rooms, loaded, error } = list;
    const lost = this.#rows.render(rooms);
    if (lost) this.#rows.restore(lost);
    this.#skeleton.hidden = loaded || !!error;
    this.#more.hidden = !list.hasMore;
    this.#more.textContent = list.loading ? this.text("loading") : this.text("loadMore");
    this.#note.hidden = !error && !(loaded && !rooms.length);
    if (!this.#note.hidden) this.#tell(error);
  }

  /** @param {string | null} error null: there are no rooms */
  #tell(error) {
    const words = error ?? this.text("noRooms");
    redraw(this.#note, words, () => [
      icon(error ? "alert" : "bubbles"),
      h("strong", {}, words),
      ...(error ? [button("text", () => this.client.list.load(), this.text("retry"))] : []),
    ]);
  }
}
