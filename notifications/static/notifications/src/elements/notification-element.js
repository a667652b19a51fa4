/** The elements of notifications share the page's one connection. */

import { connection } from "../inbox/config.js";
import { button, CarillonElement, h, link, text } from "./base.js";

/** @extends {CarillonElement<import("../inbox/client.js").Client>} */
export class NotificationElement extends CarillonElement {
  find() {
    return connection();
  }
}

export { button, h, link, text };
