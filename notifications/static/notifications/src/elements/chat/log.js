/**
 * The messages on the screen: which come under which day, where the reader is, and that nothing jumps.
 *
 * The list is a log to assistive technology, but no live one: what is paged in or edited would be read out again. The
 * element announces what really arrives.
 */

import { button, h } from "../base.js";
import { icon } from "./element.js";
import { dayOf } from "./dates.js";
import { MessageRow } from "./message.js";

/** @typedef {import("../../chat/types.js").Message} Message */
/** @typedef {import("../../chat/types.js").Entry} Entry */
/** @typedef {import("../../chat/room.js").Room} Room */

const NEAR = 48; // px from the end that still count as the end
const AHEAD = 400; // px from the top at which older messages are fetched
const RUN = 300_000; // ms between two messages of one author that still belong together
const FLASH = 1_600; // ms that a message is marked after a jump to it

export class Log {
  /** @type {Map<string, MessageRow>} */
  #rows = new Map();
  /** The reader is at the end, and wants to stay there. */
  #follows = true;
  /** The divider stands above this number; 0: none. */
  #divider = 0;
  /** The newest number that has been on the screen. */
  #seen = 0;
  #placed = false;
  #day = "";

  /** Whether authors' names are shown. */
  group = false;
  /** @type {Map<string, boolean>} */
  usernames = new Map();
  people = ""; // the same as a text, to compare

  /** @type {Room} */
  room = /** @type {any} */ (null);

  list = h("ol", { role: "list", onkeydown: (/** @type {KeyboardEvent} */ event) => this.#move(event) });
  top = h("div", { class: "top" });
  scroll = h("div", { class: "scroll", part: "scroll", role: "log", "aria-live": "off", tabindex: "0" }, this.top, this.list);

  /**
   * @param {import("./room.js").ChatRoom} owner
   * @param {(verb: "react" | "reply" | "edit" | "delete", row: MessageRow) => void} act
   */
  constructor(owner, act) {
    this.owner = owner;
    this.act = act;
    this.scroll.ariaLabel = owner.text("messages");
    this.latest = button("latest", () => this.toEnd(true));
    this.root = h("div", { class: "log" }, this.scroll, this.latest);
    this.scroll.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    this.list.addEventListener("focusin", ({ target }) => this.#rove((row) => row.element.contains(/** @type {Node} */ (target))));
    const resized = new ResizeObserver(() => this.#keep(null));
    resized.observe(this.scroll);
    resized.observe(this.list);
  }

  /** @param {Room} room */
  show(room) {
    this.room = room;
    this.#rows.clear();
    this.list.replaceChildren();
    this.#follows = true;
    this.#divider = this.#seen = 0;
    this.#placed = false;
  }

  /** Whether people look at the newest message. */
  get atEnd() {
    return this.#follows && document.visibilityState === "visible" && this.scroll.clientHeight > 0;
  }

  render() {
    const { room, owner } = this;
    this.#prepare();
    const anchor = this.#anchor();
    const before = this.#rows;
    this.#rows = new Map();
    const looks = this.#looks();
    for (const [message, look] of looks) {
      const row = before.get(look.key) ?? new MessageRow(this);
      before.delete(look.key);
      row.update(message, look);
      this.#rows.set(look.key, row);
    }
    const focus = [...before.values()].find(({ element }) => element.matches(":focus-within"));
    for (const { element } of before.values()) element.remove();
    let next = this.list.firstChild;
    for (const { element } of this.#rows.values()) {
      if (element === next) next = element.nextSibling;
      else this.list.insertBefore(element, next);
    }
    if (focus) this.scroll.focus();
    if (!this.list.matches(":focus-within")) this.#rove(({ element }) => element === this.list.lastElementChild);
    this.scroll.ariaBusy = `${room.loading}`;
    this.#top();
    this.#keep(anchor);
    const fresh = this.#follows ? 0 : room.messages.filter(({ number, author }) => number > this.#seen && author?.id !== owner.client.me?.id).length;
    const label = fresh ? owner.text("newBelow", { count: fresh }) : owner.text("toLatest");
    this.latest.hidden = this.#follows;
    this.latest.ariaLabel = label;
    this.latest.replaceChildren(icon("down"), ...(fresh ? [label] : []));
  }

  /** @param {boolean} [focus] */
  toEnd(focus) {
    this.#follows = true;
    this.scroll.scrollTop = this.scroll.scrollHeight;
    if (focus) /** @type {HTMLElement | null} */ (this.list.lastElementChild)?.focus({ preventScroll: true });
    this.owner.client.changed();
  }

  /** Go to a message, fetching what lies between. @param {number} number */
  async jump(number) {
    if (!(await this.room.reach(number))) return;
    this.render();
    const row = [...this.#rows.values()].find((row) => row.number === number)?.element;
    if (!row) return;
    this.#follows = false;
    row.scrollIntoView({ block: "center" });
    row.focus({ preventScroll: true });
    row.classList.add("flash");
    setTimeout(() => row.classList.remove("flash"), FLASH);
  }

  /** The last own message that can be edited. */
  get ownLast() {
    return [...this.#rows.values()].reverse().find(({ message, look }) => look.own && "number" in message && message.kind === "text" && !message.deleted);
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
    const people = members.map(({ username }) => username).join();
    if (people !== this.people) {
      this.people = people;
      this.usernames = new Map(members.map(({ id, username }) => [username.toLowerCase(), id === me?.id]));
    }
    if (this.#placed || !room.loaded || !room.me) return;
    if (room.unread) this.#divider = room.me.last_read + 1;
    this.#seen = room.me.last_read;
  }

  /** @returns {[Message | Entry, import("./message.js").Look][]} */
  #looks() {
    const { room, owner } = this;
    const me = owner.client.me?.id;
    const sent = room.messages;
    // Where nobody looked when it came, the divider goes above it, once; then it stays.
    const head = sent.at(-1)?.number ?? 0;
    if (this.#placed && head > this.#seen && document.hidden && this.#divider <= this.#seen) this.#divider = this.#seen + 1;
    const fresh = this.#divider && sent.find(({ number, author }) => number >= this.#divider && author?.id !== me)?.number;
    const lastOwn = sent.findLast(({ author, kind }) => author?.id === me && kind === "text");
    const all = /** @type {(Message | Entry)[]} */ ([...sent, ...room.waiting]);
    const by = all.map((one) => ("number" in one ? (one.kind === "text" ? one.author?.id : one.kind) : me));
    const at = all.map((one) => new Date("at" in one ? one.at : one.created_at));
    const days = at.map(dayOf);
    this.#day = dayOf(new Date());
    const joined = (/** @type {number} */ index) => index > 0 && by[index] === by[index - 1] && days[index] === days[index - 1] &&
      at[index].getTime() - at[index - 1].getTime() < RUN && /** @type {Message} */ (all[index]).number !== fresh;
    return all.map((message, index) => {
      const number = "number" in message ? message.number : null;
      const waits = number === null;
      const own = waits || (by[index] === me && me !== undefined);
      return [message, {
        key: "id" in message ? message.id : (own && message.client_id) || `${number}`, // the same before and after it is sent
        own,
        first: !joined(index),
        last: !(index + 1 < all.length && joined(index + 1)),
        day: days[index] !== days[index - 1],
        fresh: !!fresh && number === fresh,
        quoted: message.reply_to ? room.quote(message.reply_to) : undefined,
        status: waits ? this.#waiting(/** @type {Entry} */ (message)) : message === lastOwn ? this.#read(/** @type {Message} */ (message)) : "",
        tone: waits && /** @type {Entry} */ (message).state === "failed" ? "failed" : "",
      }];
    });
  }

  /** @param {Entry} entry */
  #waiting({ state, error }) {
    const { owner } = this;
    if (state === "failed") return error ? `${owner.text("notSent")}: ${error}` : owner.text("notSent");
    if (state === "sending") return owner.text("sending");
    return owner.client.live ? owner.text("sending") : owner.text("queued");
  }

  /** @param {Message} message */
  #read(message) {
    const { owner, room } = this;
    if (!room.info?.members) return owner.text("sent");
    const names = room.readers(message);
    if (!names.length) return owner.text("sent");
    if (room.info.kind === "direct" || names.length >= room.info.members.length - 1) return owner.text("read");
    if (names.length > 3) return owner.text("readByCount", { count: names.length });
    return owner.text("readBy", { names: new Intl.ListFormat(owner.language).format(names) });
  }

  #top() {
    const { room, owner } = this;
    const empty = room.loaded && !room.messages.length && !room.waiting.length;
    const key = room.error ? `error ${room.loading}` : room.loading || !room.loaded ? "loading" : empty ? "empty" : room.hasOlder ? "more" : "start";
    if (this.top.dataset.state === key) return;
    this.top.dataset.state = key;
    if (key === "loading") this.top.replaceChildren(h("div", { class: "skeleton" }), h("span", { class: "hidden" }, owner.text("loading")));
    else if (room.error) this.top.replaceChildren(room.error, " ", button("text", () => room.loadOlder(), owner.text("retry")));
    else if (empty) this.top.replaceChildren(icon("bubbles"), h("strong", {}, owner.text("noMessages")), h("span", {}, owner.text("noMessagesHint")));
    else this.top.replaceChildren(key === "start" ? owner.text("beginning") : "");
  }

  /** What must not move: the first message that is seen, and where it is. @returns {{element: HTMLElement, at: number} | null} */
  #anchor() {
    if (this.#follows || !this.#placed) return null;
    const { scrollTop } = this.scroll;
    const first = [...this.#rows.values()].find(({ element }) => element.offsetTop + element.offsetHeight > scrollTop);
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
    const row = /** @type {HTMLElement | null} */ (this.list.querySelector(".fresh:not(:empty)")?.parentElement);
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

  /** One message is in the order of Tab; the arrows lead to the others. @param {(row: MessageRow) => boolean} which */
  #rove(which) {
    for (const row of this.#rows.values()) row.current = which(row);
  }

  /** @param {KeyboardEvent} event */
  #move(event) {
    const rows = /** @type {HTMLElement[]} */ ([...this.list.children]);
    const here = rows.indexOf(/** @type {HTMLElement} */ (/** @type {Element} */ (event.target).closest("li")));
    const step = { ArrowDown: 1, ArrowUp: -1, Home: -Infinity, End: Infinity }[event.key];
    if (!step || here < 0 || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    rows[Math.max(0, Math.min(rows.length - 1, here + step))].focus();
  }
}
