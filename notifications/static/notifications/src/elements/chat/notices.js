/** What a conversation has to say of itself: how the connection is, and what could not be sent. */

import { button, h } from "../base.js";
import { mood } from "../status-policy.js";

export class Notices {
  #timer = 0;
  #wasLive = false;
  #counting = false;

  connection = h("div", { class: "notice", role: "status" });
  unsent = h("div", { class: "unsent", role: "status" });

  /** @param {import("./room.js").ChatRoom} owner */
  constructor(owner) {
    this.owner = owner;
  }

  render() {
    this.#failed();
    this.#connected();
  }

  stop() {
    clearTimeout(this.#timer);
  }

  /** What failed for good waits for a decision. */
  #failed() {
    const { owner } = this;
    const { room, client } = owner;
    const count = room.waiting.filter(({ state }) => state === "failed").length;
    const key = `${count} ${client.outbox.full}`;
    if (this.unsent.dataset.key === key) return;
    this.unsent.dataset.key = key;
    const one = count === 1;
    if (!count) this.unsent.replaceChildren(client.outbox.full ? owner.text("outboxFull") : "");
    else this.unsent.replaceChildren(
      h("span", {}, one ? owner.text("unsentOne") : owner.text("unsent", { count })),
      button("text", () => room.retryAll(), owner.text(one ? "retry" : "retryAll")),
      button("text", () => room.deleteAll(), owner.text(one ? "delete" : "deleteAll")),
    );
  }

  /** Good news needs no words, and bad news only when it lasts. */
  #connected() {
    const { owner } = this;
    const { room, client } = owner;
    const seen = mood(client.state, Date.now(), this.#wasLive, this.#counting);
    const told = seen.tone !== "good" && (seen.serious || this.#wasLive);
    if (seen.tone === "good") this.#wasLive = true;
    this.#counting = seen.counting;
    owner.setAttribute("state", client.state.name);
    clearTimeout(this.#timer);
    if (seen.again !== null) this.#timer = setTimeout(() => owner.render(), seen.again);
    const words = room.gone ? "roomGone" : !told ? "" : seen.name === "signed-out" || seen.name === "closed" ? seen.name
      : seen.name === "offline" ? "chatOffline" : "chatReconnecting";
    const act = words === "signed-out" ? "reload" : words === "closed" || (words && words !== "roomGone" && seen.counting) ? "tryNow" : "";
    const key = `${words} ${act}`;
    if (this.connection.dataset.key === key) return;
    this.connection.dataset.key = key;
    this.connection.replaceChildren(words ? h("span", {}, owner.text(words)) : "",
      act ? button("text", () => (act === "reload" ? location.reload() : client.retryNow()), owner.text(act)) : "");
  }
}
