/**
 * The messages on the screen: which come under which day, where the reader is, and that nothing jumps.
 *
 * The list is a log to assistive technology, but no live one: what is paged in or edited would be read out again. The
 * element announces what really arrives.
 */

import { isVisible, whenResized } from "../../core/browser.js";
import { button, h, redraw } from "../dom.js";
import { icon } from "./chat-element.js";
import { handlesOf } from "./linkify.js";
import { rowStates } from "./row-states.js";
import { Rows } from "./rows.js";
import { showTop } from "./top.js";

/** @typedef {import("../../chat/room.js").Room} Room */

const NEAR = 48; // px from the end that still count as the end
const AHEAD = 400; // px from the top at which older messages are fetched
const FLASH = 1_600; // ms that a message is marked after a jump to it

export class Log {
  /** The reader is at the end, and wants to stay there. */
  #follows = true;
  /** The divider stands above this number; 0: none. */
  #divider = 0;
  /** The newest number that has been on the screen. */
  #seen = 0;
  #placed = false;

  /** Whether authors' names are shown. */
  group = false;
  /** @type {Map<string, boolean>} */
  usernames = new Map();
  people = ""; // the same as a text, to compare

  /** @type {Room} */
  room = /** @type {any} */ (null);

  rows = new Rows(this);
  top = h("div", { class: "top" });
  scroll = h("div", { class: "scroll", role: "log", "aria-live": "off", tabindex: "0" }, this.top, this.rows.list);

  /**
   * @param {import("./room.js").ChatRoom} owner
   * @param {(verb: "react" | "reply" | "edit" | "delete", row: import("./message-row.js").MessageRow) => void} act
   */
  constructor(owner, act) {
    this.owner = owner;
    this.act = act;
    this.scroll.ariaLabel = owner.text("messages");
    this.latest = button("latest", () => this.toEnd(true));
    this.root = h("div", { class: "log" }, this.scroll, this.latest);
    this.scroll.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    whenResized([this.scroll, this.rows.list], () => this.#keep(null));
  }

  /** @param {Room} room */
  show(room) {
    this.room = room;
    this.rows.clear();
    this.#follows = true;
    this.#divider = this.#seen = 0;
    this.#placed = false;
  }

  /** Whether people look at the newest message. */
  get atEnd() {
    return this.#follows && isVisible() && this.scroll.clientHeight > 0;
  }

  render() {
    const { room, owner } = this;
    this.#prepare();
    const anchor = this.#anchor();
    if (this.rows.render(rowStates(room, owner, this.#divider))) this.scroll.focus();
    this.scroll.ariaBusy = `${room.busy}`;
    showTop(this.top, room, owner);
    this.#keep(anchor);
    const fresh = this.#follows
      ? 0
      : room.messages.filter(({ number, author }) => number > this.#seen && author?.id !== owner.client.me?.id).length;
    const label = fresh ? owner.text("newBelow", { count: fresh }) : owner.text("toLatest");
    this.latest.hidden = this.#follows;
    this.latest.ariaLabel = label;
    redraw(this.latest, label, () => [icon("down"), ...(fresh ? [label] : [])]);
  }

  /** @param {boolean} [focus] */
  toEnd(focus) {
    this.#follows = true;
    this.scroll.scrollTop = this.scroll.scrollHeight;
    if (focus) /** @type {HTMLElement | null} */ (this.rows.list.lastElementChild)?.focus({ preventScroll: true });
    this.owner.client.changed();
  }

  /** Go to a message, fetching what lies between. @param {number} number */
  async jump(number) {
    if (!(await this.room.reach(number))) return;
    this.render();
    const row = this.rows.all.find((row) => row.number === number)?.element;
    if (!row) return;
    this.#follows = false;
    row.scrollIntoView({ block: "center" });
    row.focus({ preventScroll: true });
    row.classList.add("flash");
    setTimeout(() => row.classList.remove("flash"), FLASH);
  }

  /** The last own message that can be edited. */
  get ownLast() {
    return this.rows.all
      .reverse()
      .find(({ message, state }) => state.own && "number" in message && message.kind === "text" && !message.deleted);
  }

  /** The user has written: where they stopped reading is of no interest any more. */
  answered() {
    this.#divider = 0;
    this.#follows = true;
  }

  #prepare() {
    const { room, owner } = this;
    const { me } = owner.client;
    const members = room.info?.members ?? [];
    this.group = room.info?.kind === "group";
    const people = members.map(({ handle }) => handle).join();
    if (people !== this.people) {
      this.people = people;
      this.usernames = handlesOf(members, me?.id);
    }
    // Where nobody looked when it came, the divider goes above it, once; then it stays.
    const newest = room.messages.at(-1)?.number ?? 0;
    if (this.#placed && newest > this.#seen && !isVisible() && this.#divider <= this.#seen)
      this.#divider = this.#seen + 1;
    if (this.#placed || !room.loaded || !room.me) return;
    if (room.unread) this.#divider = room.me.last_read + 1;
    this.#seen = room.me.last_read;
  }

  /** What must not move: the first message that is seen, and where it is. @returns {{element: HTMLElement, at: number} | null} */
  #anchor() {
    if (this.#follows || !this.#placed) return null;
    const { scrollTop } = this.scroll;
    const first = this.rows.all.find(({ element }) => element.offsetTop + element.offsetHeight > scrollTop);
    return first ? { element: first.element, at: first.element.offsetTop - scrollTop } : null;
  }

  /** @param {{element: HTMLElement, at: number} | null} anchor */
  #keep(anchor) {
    if (!this.scroll.clientHeight || !this.room) return;
    if (!this.#placed && this.room.loaded) this.#place();
    else if (this.#follows) this.scroll.scrollTop = this.scroll.scrollHeight;
    else if (anchor?.element.isConnected) this.scroll.scrollTop = anchor.element.offsetTop - anchor.at;
    if (this.#placed) this.#look();
  }

  /** Where a reader begins: at the divider if there is one, else at the end. */
  #place() {
    this.#placed = true;
    const { scroll } = this;
    scroll.scrollTop = scroll.scrollHeight;
    const row = /** @type {HTMLElement | null} */ (this.rows.list.querySelector(".fresh:not(:empty)")?.parentElement);
    if (row && row.offsetTop < scroll.scrollTop) scroll.scrollTop = row.offsetTop - 16;
    this.#follows = this.#distance() < NEAR;
    this.owner.client.changed();
  }

  #distance() {
    const { scrollTop, scrollHeight, clientHeight } = this.scroll;
    return scrollHeight - scrollTop - clientHeight;
  }

  #scrolled() {
    if (!this.#placed) return;
    const follows = this.#distance() < NEAR;
    if (follows !== this.#follows) {
      this.#follows = follows;
      this.owner.client.changed();
    }
    this.#look();
  }

  /** Somebody looks: fetch what comes next, and tell what was read. */
  #look() {
    const { room } = this;
    if (this.scroll.scrollTop < AHEAD && room.hasOlder && !room.error) room.loadOlder();
    if (!this.atEnd) return;
    this.#seen = Math.max(this.#seen, room.messages.at(-1)?.number ?? 0);
    room.markRead();
    room.atEnd();
  }
}
