/** Who is typing, in words and dots. */

import { listText } from "../../core/locale.js";
import { h, redraw } from "../dom.js";

const NAMED = 3; // people; more are only "several"

/**
 * @param {HTMLElement} element
 * @param {string[]} names
 * @param {import("./room.js").ChatRoom} owner
 */
export function renderTyping(element, names, owner) {
  const words = wordsFor(names, owner);
  const dots = () => h("span", { class: "dots", "aria-hidden": "true" }, h("i"), h("i"), h("i"));
  redraw(element, words, () => (words ? [dots(), h("span", {}, words)] : []));
}

/** @param {string[]} names @param {import("./room.js").ChatRoom} owner */
function wordsFor(names, owner) {
  if (!names.length) return "";
  if (names.length === 1) return owner.text("typingOne", { name: names[0] });
  if (names.length > NAMED) return owner.text("typingMany");
  return owner.text("typingSome", { names: listText(names, owner.client.locale) });
}
