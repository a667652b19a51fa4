/** What the message that is being written answers, or which one is being edited. */

import { h, iconButton, redraw } from "../dom.js";
import { icon } from "./chat-element.js";

/** @typedef {import("../../chat/types.js").Message} Message */

export class ComposerContext {
  #owner;
  #cancel;

  root = h("div", { class: "context" });

  /**
   * @param {import("./room.js").ChatRoom} owner
   * @param {() => void} cancel
   */
  constructor(owner, cancel) {
    this.#owner = owner;
    this.#cancel = cancel;
  }

  /**
   * @param {Message | null} edits
   * @param {number | null} answers
   */
  render(edits, answers) {
    const owner = this.#owner;
    const quoted = edits ?? (answers ? owner.room.quote(answers) : null);
    const key = edits ? `edit ${edits.number}` : answers ? `reply ${answers} ${quoted?.body}` : "";
    redraw(this.root, key, () => (key ? this.#content(!!edits, quoted) : []));
  }

  /** @param {boolean} edits @param {Message | null} quoted */
  #content(edits, quoted) {
    const owner = this.#owner;
    const title = edits ? owner.text("editing") : owner.text("replyingTo", { name: quoted?.author?.name || "…" });
    const body = h("span", {}, h("bdi", {}, quoted?.body ?? ""));
    return [
      icon(edits ? "edit" : "reply"),
      h("span", { class: "about" }, h("strong", {}, title), body),
      iconButton(icon("close"), owner.text("cancel"), this.#cancel),
    ];
  }
}
