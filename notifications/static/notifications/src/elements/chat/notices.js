/** What a conversation has to say of itself: how the connection is, and what could not be sent. */

import { button, h, redraw } from "../dom.js";
import { statusPolicy } from "../status-policy.js";

/** @typedef {import("../status-policy.js").Status} Status */

export class Notices {
  #owner;
  #timer = 0;
  #wasLive = false;
  #counting = false;

  connection = h("div", { class: "notice", role: "status" });
  unsent = h("div", { class: "unsent", role: "status" });

  /** @param {import("./room.js").ChatRoom} owner */
  constructor(owner) {
    this.#owner = owner;
  }

  render() {
    this.#renderUnsent();
    this.#renderConnection();
  }

  stop() {
    clearTimeout(this.#timer);
  }

  /** What failed for good waits for a decision. */
  #renderUnsent() {
    const owner = this.#owner;
    const { room, client } = owner;
    const count = room.waiting.filter(({ state }) => state === "failed").length;
    const one = count === 1;
    redraw(this.unsent, `${count} ${client.outbox.full}`, () => {
      if (!count) return client.outbox.full ? [owner.text("outboxFull")] : [];
      return [
        h("span", {}, one ? owner.text("unsentOne") : owner.text("unsent", { count })),
        button("text", () => room.retryAll(), owner.text(one ? "retry" : "retryAll")),
        button("text", () => room.deleteAll(), owner.text(one ? "delete" : "deleteAll")),
      ];
    });
  }

  /** Good news needs no words, and bad news only when it lasts. */
  #renderConnection() {
    const owner = this.#owner;
    const { client } = owner;
    const status = statusPolicy(client.state, Date.now(), this.#wasLive, this.#counting);
    const text = this.#textOf(status);
    if (status.tone === "good") this.#wasLive = true;
    this.#counting = status.countdown;
    owner.setAttribute("state", client.state.name);
    this.stop();
    // A loss that is told now concerns who is here, too; what comes later, only this notice.
    const again = status.name === client.state.name ? () => this.#renderConnection() : () => client.changed();
    if (status.recheckIn !== null) this.#timer = setTimeout(again, status.recheckIn);
    const action = actionFor(text, status);
    const act = () => (action === "reload" ? location.reload() : client.retryNow());
    redraw(this.connection, `${text} ${action}`, () => [
      text ? h("span", {}, owner.text(text)) : "",
      action ? button("text", act, owner.text(action)) : "",
    ]);
  }

  /** @param {Status} status @returns {string} the key of a text; empty: nothing is to be said */
  #textOf({ tone, serious, name }) {
    if (this.#owner.room.gone) return "roomGone";
    if (tone === "good" || !(serious || this.#wasLive)) return "";
    if (name === "signed-out" || name === "closed") return name;
    return name === "offline" ? "chatOffline" : "chatReconnecting";
  }
}

/** @param {string} text @param {Status} status */
function actionFor(text, { countdown }) {
  if (text === "signed-out") return "reload";
  if (text === "closed" || (text && text !== "roomGone" && countdown)) return "tryNow";
  return "";
}
