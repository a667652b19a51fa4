/** `<notification-schedule>`: offers the browser's time zone to whoever has not chosen one. The form is the server's. */

import { timeZone } from "../core/locale.js";

export class NotificationSchedule extends HTMLElement {
  connectedCallback() {
    const select = /** @type {HTMLSelectElement | null} */ (this.querySelector("select[name=time_zone]"));
    const zone = timeZone();
    if (!select || "own" in select.dataset || !zone) return;
    // One that is not in the list has another name there: then the site's stays.
    if ([...select.options].some(({ value }) => value === zone)) select.value = zone;
  }
}
