/** The connection of a page that has no bell: it carries feeds, and no inbox. */

import { Connection } from "../core/connection.js";
import { PageClient } from "../core/page-client.js";
import { poll } from "../core/transports/poll.js";
import { stream } from "../core/transports/stream.js";

/** @typedef {import("../core/types.js").Session} Session */
/** @typedef {import("./types.js").FeedsConfig} FeedsConfig */

/** @extends {PageClient<FeedsConfig, {state: import("../core/state.js").Snapshot, change: object}>} */
export class Standalone extends PageClient {
  /** @param {FeedsConfig} config */
  constructor(config) {
    super(config);
    const { env } = this;
    const { urls } = config;
    const at = (/** @type {string} */ url) => (/** @type {string} */ query) => `${url}${query || "?feeds="}&inbox=0`;
    this.link = new Connection(config, env, this.ended, {
      name: `${urls.changes} feeds`,
      transports: [
        [
          "stream",
          (/** @type {Session} */ session, query = "") => stream(session, at(urls.stream)(query), config, env),
        ],
        ["poll", (/** @type {Session} */ session, query = "") => poll(session, at(urls.changes)(query), config, env)],
      ],
      cursor: () => "",
      offset: () => this.offset,
      onFrame: (frame) => this.setClock(frame),
      onState: (state) => this.emit("state", state),
      onMessage() {},
    });
  }

  get state() {
    return this.link.state;
  }

  open() {
    if (this.state.reason === "stopped") this.link.open();
  }

  stop() {
    this.holders.clear();
    this.link.close();
  }

  /** @param {string} reason */
  signOut(reason) {
    this.link.signOut(reason);
  }
}
