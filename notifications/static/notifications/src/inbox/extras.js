/** What the small bundle leaves out: alerts, and the WebSocket as a second way through difficult networks. */

import { Alerts } from "./alerts.js";
import { extensions } from "./client.js";
import { carriers } from "../core/transports/index.js";
import { socket } from "./socket.js";

/** Add the extras to every client that is made from now on. */
export function addExtras() {
  carriers.socket = socket;
  extensions.push((client) => (client.alerts = new Alerts(client)));
}
