/** What the small bundle leaves out: alerts, and the WebSocket as a second way through difficult networks. */

import { Alerts } from "./alerts.js";
import { extensions } from "./client.js";
import { socket } from "./socket.js";
import { carriers } from "./transports.js";

/** Add the extras to every client that is made from now on. */
export function addExtras() {
  carriers.splice(1, 0, ["socket", "socket", socket]);
  extensions.push((client) => {
    client.alerts = new Alerts(client);
  });
}
