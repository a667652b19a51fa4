/** The chat's connection: a link over one WebSocket, which carries frames one way and commands the other. */

import { isVisible } from "../core/browser.js";
import { link } from "../core/link.js";
import { watchPage } from "../core/page.js";
import { plain } from "../core/state.js";
import { openSocket } from "../core/transports/socket.js";
import { Commands } from "./commands.js";

/** @typedef {import("../core/state.js").Snapshot} Snapshot */

const OVER = ["signed-out", "closed"];

/** What a close says by its code alone, where the frame that explains it was lost. @type {Record<number, string>} */
const REASONS = {
  4401: "signed-out",
  4403: "revoked",
  4406: "version",
  4408: "slow",
  4429: "too-many",
  4503: "busy",
};

export class ChatConnection {
  #chat;
  #commands;
  #send;
  #onConnect;

  /** @type {Readonly<Snapshot>} */
  state = Object.freeze({ ...plain("closed", "stopped"), transport: "socket" });
  /** Whether commands get through. */
  live = false;

  /**
   * @param {import("./client.js").Chat} chat
   * @param {() => void} onConnect commands get through again
   */
  constructor(chat, onConnect) {
    const { env } = chat;
    this.#chat = chat;
    this.#onConnect = onConnect;
    this.#commands = new Commands(env);
    this.#send = link(env, {
      transports: [["socket", (session) => this.#open(session)]],
      cursor: () => "",
      onFrame: (frame) => this.#apply(frame),
      onState: (state) => this.#show(state),
    });
    watchPage(env, chat.ended, {
      suspend: () => this.#over || this.#send({ type: "rest", name: "paused", reason: "hidden" }),
      awaken: () => this.#awaken(),
      visibility: () => {
        if (isVisible(env.document)) this.#awaken();
        chat.changed();
      },
      network: ({ type }) => this.#send({ type }),
    });
  }

  /** Connect, unless that was tried already. */
  start() {
    if (this.state.name === "closed" && this.state.reason === "stopped") this.#send({ type: "start" });
  }

  stop() {
    this.#send({ type: "rest", name: "closed", reason: "stopped" });
  }

  signOut() {
    this.#send({ type: "rest", name: "signed-out", reason: "signed-out" });
  }

  /** Try now, whatever the state. */
  retry() {
    this.#send({ type: this.#over ? "start" : "retry" });
  }

  /** @param {{type: string}} command @returns {Promise<any>} the acknowledgement */
  call(command) {
    return this.#commands.call(command);
  }

  get #over() {
    return OVER.includes(this.state.name);
  }

  #awaken() {
    this.#send({ type: this.state.name === "paused" ? "start" : "wake" });
  }

  /** @param {import("../core/types.js").Session} session */
  #open(session) {
    const { config, env } = this.#chat;
    const url = config.urls.socket;
    if (!url) return session.end({ reason: "no-socket", retry: null });
    const bytes = () => {
      this.#commands.heard();
      session.bytes();
    };
    const frame = (/** @type {any} */ one) => {
      const { me } = this.#chat;
      // Somebody else signed in meanwhile: what waits here is not theirs to send.
      if (one.type === "hello" && me && one.user.id !== me.id) session.end({ reason: "signed-out", retry: null });
      else session.frame(one);
    };
    const write = openSocket({ ...session, bytes, frame }, url, env, { reasons: REASONS });
    this.#commands.open({ write, end: session.end });
  }

  /** @param {any} frame */
  #apply(frame) {
    if (frame.type === "ack" || frame.type === "nack") this.#commands.answer(frame);
    else this.#chat.apply(frame);
  }

  /** @param {Snapshot} next */
  #show(next) {
    const before = this.state;
    const name = next.name === "polling" ? "live" : next.name; // the machine takes the last of several transports for polling
    const wasLive = this.live;
    this.state = Object.freeze({ ...next, name });
    this.live = name === "live" || name === "stale";
    if (this.live) this.#commands.ready();
    else this.#commands.lost();
    if (JSON.stringify(this.state) === JSON.stringify(before)) return;
    if (name === "signed-out" && before.name !== name) this.#chat.forget();
    this.#chat.emit("state", { ...this.state, from: before.name, to: name });
    this.#chat.changed();
    if (!wasLive && this.live) this.#onConnect();
  }
}
