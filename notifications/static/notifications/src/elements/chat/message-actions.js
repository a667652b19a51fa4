/** What can be done with a message: made when somebody comes near, for a thousand messages do not need five thousand buttons. */

import { h, iconButton, redraw } from "../dom.js";
import { icon } from "./chat-element.js";

export class MessageActions {
  #log;
  #row;
  #line;
  /** @type {HTMLElement | null} */
  #tools = null;

  /**
   * @param {import("./log.js").Log} log
   * @param {import("./message-row.js").MessageRow} row
   * @param {HTMLElement} line where they stand
   */
  constructor(log, row, line) {
    this.#log = log;
    this.#row = row;
    this.#line = line;
  }

  /** Make them, unless they are there. @returns {boolean} whether they are new */
  renderActions() {
    const { owner, room } = this.#log;
    if (this.#tools || !room.me) return false;
    const label = owner.text("messageActions");
    this.#tools = h("div", { class: "tools", role: "group", "aria-label": label });
    this.#line.append(this.#tools);
    this.update();
    return true;
  }

  /** The message, or what the reader may do with it, has changed. */
  update() {
    if (!this.#tools) return;
    const { room } = this.#log;
    const { message, state } = this.#row;
    const can = "number" in message && message.kind === "text" && !message.deleted && !room.gone;
    const key = can ? `${state.own} ${room.me?.role}` : "";
    redraw(this.#tools, key, () => (can ? this.#buttons() : []));
  }

  #buttons() {
    const { owner, room, act } = this.#log;
    const { own } = this.#row.state;
    /** @type {(name: "smile" | "reply" | "edit" | "trash", label: string, verb: "react" | "reply" | "edit" | "delete") => HTMLElement} */
    const tool = (name, label, verb) => iconButton(icon(name), label, () => act(verb, this.#row));
    return [
      tool("smile", owner.text("react"), "react"),
      tool("reply", owner.text("reply"), "reply"),
      ...(own ? [tool("edit", owner.text("edit"), "edit")] : []),
      ...(own || room.me?.role === "moderator" ? [tool("trash", owner.text("delete"), "delete")] : []),
    ];
  }
}
