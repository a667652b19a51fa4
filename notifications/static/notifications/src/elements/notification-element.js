/** The elements of notifications share the page's one connection. */

import { connection, prepare } from "../inbox/config.js";
import { CarillonElement } from "./base.js";

/** @extends {CarillonElement<import("../inbox/client.js").Client>} */
export class NotificationElement extends CarillonElement {
  find() {
    return connection();
  }

  prepare() {
    return prepare();
  }

  get sheet() {
    return this.client.config.urls.style;
  }
}
