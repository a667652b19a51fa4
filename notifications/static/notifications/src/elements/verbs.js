/** What can be done with the items of a feed, by its rows, by keys and with many at once; and how it is taken back. */

import { pin, putAway, unsnooze } from "../inbox/triage.js";
import { SnoozeDialog } from "./snooze-dialog.js";
import { UndoBar } from "./undo-bar.js";

/** @typedef {import("../inbox/types.js").Item} Item */

const idsOf = (/** @type {readonly Item[]} */ items) => items.map(({ id }) => id);

export class Verbs {
  #view;
  #owner;
  bar;
  dialog;
  /** Which rows are chosen, where many can be. @type {import("./selection.js").Selection | undefined} */
  selection;
  /** What says how to undo by a key, if there is one. @type {() => string} */
  hint = () => "";

  /** @param {import("./feed-view.js").FeedView} view */
  constructor(view) {
    this.#view = view;
    this.#owner = view.owner;
    this.bar = new UndoBar(view.owner);
    this.dialog = new SnoozeDialog(view.owner);
  }

  get #client() {
    return this.#owner.client; // another user's, once somebody else signs in
  }

  /** Archive, or bring back where all are out of the inbox. @param {readonly Item[]} items */
  done(items) {
    const here = items.filter(({ archived_at }) => !archived_at);
    if (here.length) this.#undoable("archived", here.length, putAway(this.#client, here));
    else this.restore(items);
  }

  /** @param {readonly Item[]} items */
  restore(items) {
    const asleep = idsOf(items.filter(({ snoozed_until }) => snoozed_until));
    const archived = idsOf(items.filter(({ archived_at, snoozed_until }) => archived_at && !snoozed_until));
    if (asleep.length) unsnooze(this.#client, asleep);
    if (archived.length) this.#client.unarchive(archived);
  }

  /** Mark as read, or as unread where all are. @param {readonly Item[]} items */
  read(items) {
    const unread = idsOf(items.filter(({ read_at }) => !read_at));
    if (unread.length) this.#client.markRead(unread);
    else if (items.length) this.#client.markUnread(idsOf(items));
  }

  /** Ask until when, and take them out of the inbox. @param {readonly Item[]} items */
  snooze(items) {
    const open = items.filter(({ archived_at, snoozed_until }) => !archived_at || snoozed_until);
    if (!open.length) return;
    const seen = this.#client.seen(idsOf(open)); // behind the dialog they may grow
    this.dialog.ask((until) => {
      this.#undoable("snoozed", open.length, putAway(this.#client, open, until, seen));
    });
  }

  /** Pin, or let go where all are pinned. They move at once, though the reader is at the list. @param {readonly Item[]} items */
  async pin(items) {
    const on = items.some(({ pinned }) => !pinned);
    if (await pin(this.#client, idsOf(items.filter(({ pinned }) => pinned !== on)), on)) this.#view.feed.showFresh();
  }

  /** Do one of the things that an item offers; what it came to comes with the item. @param {Item} item @param {string} name */
  act({ id }, name) {
    this.#client.each("action", id, { actions: undefined }, { action: name });
  }

  /** Switch its kind off. @param {Item} item @returns {Promise<boolean>} */
  async mute(item) {
    const [client, owner] = [this.#client, this.#owner];
    try {
      await client.ask(client.config.urls.item.replace("{action}", "mute").replace("{id}", `${item.id}`), {});
      owner.announce(owner.text("kindMuted"));
      return true;
    } catch (error) {
      const message = client.explain("couldNotMute", error);
      client.emit("failure", { action: "mute", ids: [item.id], retry: () => this.mute(item), message });
      return false;
    }
  }

  /**
   * Say what was done to how many, and offer to take it back.
   *
   * @param {"archived" | "snoozed" | "read"} what
   * @param {number} count
   * @param {() => void} back
   */
  offer(what, count, back) {
    this.bar.offer(this.#owner.text(`${what}Many`, { count }), back, this.hint());
    return back;
  }

  /** @param {"archived" | "snoozed"} what @param {number} count @param {import("../inbox/triage.js").Undoable} done */
  async #undoable(what, count, { sent, back }) {
    this.selection?.clear();
    const offered = this.offer(what, count, back);
    if (!(await sent)) this.bar.close(offered); // refused, which is told elsewhere, or of what has changed since
  }
}
