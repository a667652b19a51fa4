/** Asks before a message is deleted. */

import { openDialog } from "../../core/browser.js";
import { h } from "../dom.js";

export class ConfirmDialog {
  #decided;

  root = /** @type {HTMLDialogElement} */ (
    h("dialog", { part: "dialog", "aria-labelledby": "question", closedby: "any", onclose: () => this.#close() })
  );

  /** @param {(confirmed: boolean) => void} decided */
  constructor(decided) {
    this.#decided = decided;
  }

  /** @param {import("./chat-element.js").ChatElement} owner */
  build(owner) {
    this.root.append(
      h("p", { id: "question" }, owner.text("deleteMessage")),
      h(
        "form",
        { method: "dialog" },
        h("button", { class: "text", value: "" }, owner.text("cancel")),
        h("button", { class: "text danger", value: "delete" }, owner.text("delete")),
      ),
    );
  }

  ask() {
    openDialog(this.root);
  }

  close() {
    if (this.root.open) this.root.close();
  }

  #close() {
    const confirmed = this.root.returnValue === "delete";
    this.root.returnValue = "";
    this.#decided(confirmed);
  }
}
