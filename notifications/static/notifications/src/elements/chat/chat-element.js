/** What the chat's elements share: the page's chat, their style sheet, and how a person is drawn. */

import { chat, prepare } from "../../chat/config.js";
import { CarillonElement } from "../base.js";
import { h } from "../dom.js";
import { draw } from "../icons.js";
import { PATIENCE } from "../status-policy.js";

/** @typedef {import("../../chat/types.js").Id} Id */
/** @typedef {import("../../chat/room.js").Room} Room */

/** Line icons, drawn in a square of 24. */
const SHAPES = {
  alert: "M12 4a8 8 0 1 1-.01 0zM12 8v5M12 16v.01",
  bubbles: "M4 5h13v9H9.5L6 17.2V14H4zM10 17.5h5l3 2.5v-2.5h2V9.5",
  clock: "M12 4a8 8 0 1 1-.01 0zM12 8v4.3l2.8 1.7",
  close: "m7 7 10 10M17 7 7 17",
  down: "M12 5v13m-6-6 6 6 6-6",
  edit: "m5 19 1-4L16 5l3 3L9 18zM13.5 7.5l3 3",
  muted: "M8 5a6 6 0 0 1 10 4c0 5 2 6.5 2 7.5H9M6.3 8.5C6.2 14 4 15.5 4 16.5h1M4 4l16 16M10 20a2.2 2.2 0 0 0 4 0",
  reply: "M9.5 6 4 11.5 9.5 17M4.5 11.5H13a6.5 6.5 0 0 1 6.5 6.5",
  send: "M4.5 11.8 20 4.5 15.5 20l-3.8-6.2zM11.7 13.8 20 4.5",
  smile: "M12 3.5a8.5 8.5 0 1 1-.01 0zM8.5 14.2a4.2 4.2 0 0 0 7 0M9.2 9.6v.01M14.8 9.6v.01",
  trash: "M5 7h14M10 7V4.5h4V7M7 7l1 12.5h8L17 7M10.5 11v5M13.5 11v5",
};
const MINUTE = 60_000; // ms
const COLORS = 6; // of avatars; chat.css has them

/** @extends {CarillonElement<import("../../chat/client.js").Chat>} */
export class ChatElement extends CarillonElement {
  find() {
    return chat();
  }

  prepare() {
    return prepare();
  }

  /** @param {AbortSignal} signal */
  listen(signal) {
    const clock = setInterval(() => this.render(), MINUTE); // today becomes yesterday
    signal.addEventListener("abort", () => clearInterval(clock));
  }

  get sheet() {
    return this.client.config.urls.chatStyle;
  }
}

/** @param {keyof typeof SHAPES} name */
export const icon = (name) => draw(SHAPES[name]);

/**
 * Draw a person as initials; assistive technology reads the name beside it.
 * @param {string} name
 * @param {Id} id chooses the colour
 */
export function avatar(name, id) {
  const words = name.split(/\s+/).filter(Boolean);
  const initials = [words[0], words.length > 1 ? words.at(-1) : ""].map((word) => [...(word ?? "")][0] ?? "").join("");
  const color = [...String(id)].reduce((sum, letter) => sum * 31 + letter.charCodeAt(0), 7) % COLORS;
  return h("span", { class: `avatar color-${color}`, part: "avatar", "aria-hidden": "true" }, initials.toUpperCase());
}

/** @param {Room} room */
export function roomAvatar(room) {
  const { other, info } = room;
  if (info?.kind !== "group") return avatar(room.name, other?.id ?? room.id);
  const shown = avatar(room.name, room.id);
  shown.classList.add("group");
  return shown;
}

/** Whether what is known of who is here can still be told: a loss that heals at once need not be seen. @param {Room} room */
export const isCurrent = ({ chat: { live, state, env } }) => live || env.now() - (state.troubledSince ?? 0) < PATIENCE;

/** Whether the other one of a direct room is here. @param {Room} room */
export const isHere = (room) => !!room.other && !!room.online?.includes(room.other.id) && isCurrent(room);
