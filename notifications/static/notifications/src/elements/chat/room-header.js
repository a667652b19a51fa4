/** The head of a conversation: whose it is, and who is here. */

import { h, redraw } from "../dom.js";
import { isCurrent, isHere, roomAvatar } from "./chat-element.js";

export class RoomHeader {
  #owner;
  #heading = h("bdi");
  #about = h("span", { class: "about" });
  #face = h("span", { class: "face" });

  root = h(
    "header",
    { part: "header" },
    h("slot", { name: "back" }),
    this.#face,
    h("div", { class: "title" }, h("h2", { id: "name" }, this.#heading), this.#about),
    h("slot", { name: "actions" }),
  );

  /** @param {import("./room.js").ChatRoom} owner */
  constructor(owner) {
    this.#owner = owner;
  }

  render() {
    const { room } = this.#owner;
    const here = isHere(room);
    const key = `${room.id} ${room.name} ${room.info?.kind} ${here}`;
    const dot = here ? [h("span", { class: "here" })] : [];
    redraw(this.#face, key, () => (room.info ? [roomAvatar(room), ...dot] : []));
    this.#heading.textContent = room.name || this.#owner.text("conversation");
    this.#about.textContent = this.#presence();
  }

  #presence() {
    const owner = this.#owner;
    const { info, onlineCount } = owner.room;
    if (!info) return "";
    const current = isCurrent(owner.room);
    if (info.kind === "direct") return current ? owner.text(isHere(owner.room) ? "here" : "away") : "";
    const members = owner.text("memberCount", { count: info.member_count });
    return onlineCount && current ? `${members} · ${owner.text("onlineCount", { count: onlineCount })}` : members;
  }
}
