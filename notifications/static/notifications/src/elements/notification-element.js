/** The elements of notifications share the page's one connection. */

import { connection, prepare } from "../inbox/config.js";
import { CarillonElement } from "./base.js";

const GATHER = 3_000; // ms; fifty comments are read out once

/** @extends {CarillonElement<import("../inbox/client.js").Client>} */
export class NotificationElement extends CarillonElement {
  /** What has grown since, by id. @type {Map<number, import("../inbox/types.js").Item>} */
  #grown = new Map();

  find() {
    return connection();
  }

  prepare() {
    return prepare();
  }

  get sheet() {
    return this.client.config.urls.style;
  }

  /** Have it read out that items have grown, once they do so no more. @param {{items: import("../inbox/types.js").Item[]}} event */
  announceGrowth({ items }) {
    if (!this.#grown.size) setTimeout(() => this.#tellGrowth(), GATHER);
    for (const item of items) this.#grown.set(item.id, item);
  }

  #tellGrowth() {
    for (const { title, group } of this.#grown.values())
      this.announce(this.text("grown", { title, count: group?.events ?? 1 }));
    this.#grown.clear();
  }
}
