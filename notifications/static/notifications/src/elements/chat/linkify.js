/** A message's words as nodes: links and mentions are made of elements and text, so no message can become markup. */

import { attempt } from "../../core/browser.js";
import { h } from "../dom.js";

const PARTS = /https?:\/\/[^\s<>"]+|(?<![\p{L}\p{N}_@.])@[\p{L}\p{N}_.+-]+/giu;
const AFTER = /[.,;:!?'"”’»…]+$/; // punctuation of the sentence, not of the address

/**
 * @param {string} text
 * @param {Map<string, boolean>} people handles in lower case, each with whether it is the reader's own
 * @returns {(Node | string)[]}
 */
export function linkify(text, people) {
  const nodes = [];
  let at = 0;
  for (const { 0: found, index } of text.matchAll(PARTS)) {
    const node = found[0] === "@" ? mention(found, people) : anchor(found);
    if (!node) continue;
    nodes.push(text.slice(at, index), node);
    at = index + (node.textContent ?? "").length;
  }
  nodes.push(text.slice(at));
  return nodes.filter(Boolean);
}

/**
 * The names that a message may mention.
 *
 * @param {import("../../chat/types.js").Member[]} members those without a handle are not mentioned
 * @param {import("../../chat/types.js").Id} [me]
 * @returns {Map<string, boolean>} as above
 */
export const handlesOf = (members, me) =>
  new Map(members.flatMap(({ id, handle }) => (handle ? [[handle.toLowerCase(), id === me]] : [])));

/** @param {string} text */
function anchor(text) {
  let address = text.replace(AFTER, "");
  // A bracket belongs to the address if it was opened there, as encyclopedias have it.
  while (address.endsWith(")") && address.split(")").length > address.split("(").length)
    address = address.slice(0, -1).replace(AFTER, "");
  const url = attempt(() => new URL(address));
  if (!url?.hostname || !/^https?:$/.test(url.protocol)) return null;
  return h("a", { href: url.href, target: "_blank", rel: "noopener noreferrer nofollow ugc" }, address);
}

/** @param {string} text @param {Map<string, boolean>} people */
function mention(text, people) {
  const name = text.replace(/[.+-]+$/, "");
  const own = people.get(name.slice(1).toLowerCase());
  return own === undefined ? null : h("span", { class: own ? "mention own" : "mention" }, name);
}
