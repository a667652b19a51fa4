/** The WebSocket of a browser, where an error event that nobody listens to harms nothing; in `ws` it ends the process. */

import { WebSocket as Socket } from "ws";

export class WebSocket extends Socket {
  constructor(...given) {
    super(...given);
    this.on("error", () => {}); // also one that is closed before it was open; `onclose` follows, as in a browser
  }
}
