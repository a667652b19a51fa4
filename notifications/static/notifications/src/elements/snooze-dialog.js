/** Asks until when something is to be out of the inbox. */

import { openDialog } from "../core/browser.js";
import { dateText } from "../core/locale.js";
import { snoozeTimes } from "../inbox/snooze-times.js";
import { button, h } from "./dom.js";

const WHEN = /** @type {const} */ ({ weekday: "short", hour: "numeric", minute: "numeric" });
const MINUTE = 60_000; // ms

export class SnoozeDialog {
  #owner;
  /** @type {(until: Date) => void} */
  #chosen = () => {};
  #title = h("h2", { id: "snooze-title" });
  #times = h("div", { class: "choices" });
  #own = /** @type {HTMLInputElement} */ (h("input", { type: "datetime-local", required: true, class: "field" }));
  root = /** @type {HTMLDialogElement} */ (
    h("dialog", { class: "dialog", "aria-labelledby": "snooze-title", closedby: "any" })
  );

  /** @param {import("./notification-element.js").NotificationElement} owner */
  constructor(owner) {
    this.#owner = owner;
    const own = (/** @type {Event} */ event) => {
      event.preventDefault();
      this.#choose(new Date(this.#own.value));
    };
    this.#title.textContent = owner.text("snoozeUntil");
    this.root.append(
      this.#title,
      this.#times,
      h(
        "form",
        { onsubmit: own },
        h("label", { class: "own" }, owner.text("anotherTime"), this.#own),
        h("button", { class: "text" }, owner.text("snooze")),
      ),
      button("text", () => this.root.close(), owner.text("cancel")),
    );
  }

  /** @param {(until: Date) => void} chosen */
  ask(chosen) {
    const { client } = this.#owner;
    const now = new Date(client.now());
    this.#chosen = chosen;
    this.#times.replaceChildren(
      ...snoozeTimes(now).map(([name, time]) =>
        button(
          "choice",
          () => this.#choose(time),
          h("span", {}, this.#owner.text(name), h("span", { class: "when" }, dateText(time, client.locale, WHEN))),
        ),
      ),
    );
    this.#own.min = local(new Date(now.getTime() + MINUTE));
    this.#own.value = "";
    openDialog(this.root);
  }

  /** @param {Date} time */
  #choose(time) {
    this.root.close();
    if (time.getTime() > 0) this.#chosen(time);
  }
}

/** A time as the field wants it. @param {Date} time */
const local = (time) => new Date(time.getTime() - time.getTimezoneOffset() * MINUTE).toISOString().slice(0, 16);
