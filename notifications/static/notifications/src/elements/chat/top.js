/** What stands above the messages: that there are more, that there are none, or that they could not be loaded. */

import { button, h, hidden, redraw } from "../dom.js";
import { icon } from "./chat-element.js";

/** @typedef {import("../../chat/room.js").Room} Room */

/**
 * @param {HTMLElement} top
 * @param {Room} room
 * @param {import("./room.js").ChatRoom} owner
 */
export function showTop(top, room, owner) {
  const state = stateOf(room);
  top.dataset.state = state;
  redraw(top, state, () => {
    if (state === "loading") return [h("div", { class: "skeleton" }), hidden(owner.text("loading"))];
    if (room.error) return [room.error, " ", button("text", () => room.loadOlder(), owner.text("retry"))];
    if (state === "empty") {
      return [icon("bubbles"), h("strong", {}, owner.text("noMessages")), h("span", {}, owner.text("noMessagesHint"))];
    }
    return state === "start" ? [owner.text("beginning")] : [];
  });
}

/** @param {Room} room */
function stateOf(room) {
  if (room.error) return `error ${room.loading}`;
  if (room.loading || !room.loaded) return "loading";
  if (!room.messages.length && !room.waiting.length) return "empty";
  return room.hasOlder ? "more" : "start";
}
