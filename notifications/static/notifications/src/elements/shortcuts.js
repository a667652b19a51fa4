/** Keys for what can be done with a feed: while it has the focus, shown in a dialog, and only if people want them. */

import { attempt, openDialog } from "../core/browser.js";
import { storageOf } from "../core/env.js";
import { button, h } from "./dom.js";

/** @typedef {import("../inbox/types.js").Item} Item */

export class Shortcuts {
  #view;
  #owner;
  /** What each key does with the chosen items, or with the one that has the focus. @type {Record<string, (items: Item[]) => void>} */
  #keys;
  #switch = /** @type {HTMLInputElement} */ (
    h("input", { type: "checkbox", onchange: () => this.#set(this.#switch.checked) })
  );
  root = /** @type {HTMLDialogElement} */ (
    h("dialog", { class: "dialog", "aria-labelledby": "keys-title", closedby: "any" })
  );

  /**
   * @param {import("./feed-view.js").FeedView} view
   * @param {HTMLElement} around where they are heard
   * @param {Record<string, (items: Item[]) => void>} [more] keys of the list alone
   */
  constructor(view, around, more) {
    const { verbs, owner } = view;
    this.#view = view;
    this.#owner = owner;
    this.#keys = {
      e: (items) => verbs.done(items),
      u: (items) => verbs.read(items),
      s: (items) => verbs.snooze(items),
      p: (items) => items.length && verbs.pin(items),
      z: () => verbs.bar.undo(),
      ...more,
      "?": () => this.show(),
    };
    verbs.hint = () => (this.on ? owner.text("undoKey") : "");
    around.addEventListener("keydown", (event) => this.#press(event));
    view.root.append(this.root);
  }

  /** Whether they are wanted; kept in this browser. */
  get on() {
    return attempt(() => this.#storage?.getItem(this.#key)) !== "off";
  }

  /** Show which there are, and the switch. */
  show() {
    const owner = this.#owner;
    this.#switch.checked = this.on;
    this.root.replaceChildren(
      h("h2", { id: "keys-title" }, owner.text("shortcuts")),
      h("p", {}, owner.text("shortcutsHint")),
      h(
        "dl",
        { class: "keys" },
        ...Object.keys(this.#keys).map((key) =>
          h("div", {}, h("dt", {}, h("kbd", {}, key.toUpperCase())), h("dd", {}, owner.text(`key-${key}`))),
        ),
      ),
      h("label", {}, this.#switch, owner.text("useShortcuts")),
      button("text", () => this.root.close(), owner.text("close")),
    );
    openDialog(this.root);
  }

  /** @param {boolean} on */
  #set(on) {
    attempt(() => this.#storage?.setItem(this.#key, on ? "on" : "off"));
  }

  get #storage() {
    return storageOf(this.#owner.client.env);
  }

  get #key() {
    return `carillon-keys ${this.#owner.client.config.user}`;
  }

  /** @param {KeyboardEvent} event */
  #press(event) {
    const target = /** @type {Element} */ (event.target);
    if (event.altKey || event.ctrlKey || event.metaKey || event.repeat || !this.on) return;
    if (target.closest("dialog, select, textarea, input:not([type=checkbox])")) return;
    // Where the keyboard has other letters, a key is known by its place.
    const key = /^[\x20-\x7e]$/.test(event.key) ? event.key : event.code.replace("Key", "");
    const act = this.#keys[key.toLowerCase()];
    if (!act) return;
    event.preventDefault();
    const chosen = this.#view.verbs.selection?.items ?? [];
    act(key.toLowerCase() !== "x" && chosen.length ? chosen : this.#view.itemsAt(target));
  }
}
