/** What stands above the messages: that there are more, that there are none, or that they could not be loaded. */

import { button, h } from "../base.js";
import { icon } from "./chat-element.js";

/**
 * @param {HTMLElement} top
 * @param {import("../../chat/room.js").Room} room
 * @param {import("./room.js").ChatRoom} owner
 */
export function showTop(top, room, owner) {
  const empty = room.loaded && !room.messages.length && !room.waiting.length;
  const key = room.error ? `error ${room.loading}` : room.loading || !room.loaded ? "loading" : empty ? "empty" : room.hasOlder ? "more" : "start";
  if (top.dataset.state === key) return;
  top.dataset.state = key;
  if (key === "loading") top.replaceChildren(h("div", { class: "skeleton" }), h("span", { class: "hidden" }, owner.text("loading")));
  else if (room.error) top.replaceChildren(room.error, " ", button("text", () => room.loadOlder(), owner.text("retry")));
  else if (empty) top.replaceChildren(icon("bubbles"), h("strong", {}, owner.text("noMessages")), h("span", {}, owner.text("noMessagesHint")));
  else top.replaceChildren(key === "start" ? owner.text("beginning") : "");
}
