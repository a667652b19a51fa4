/** What stands in place of a list that has nothing to show. */

import { button, h, redraw } from "./dom.js";
import { icon } from "./feed-icons.js";

/**
 * Say why there is nothing to see. A note that stays the same stays as it is, with the focus on its button.
 *
 * @param {HTMLElement} note
 * @param {import("../inbox/feed.js").Feed} feed
 * @param {import("./notification-element.js").NotificationElement} owner
 */
export function explain(note, feed, owner) {
  const { state, q } = feed.filter;
  const over = owner.client.state.name === "signed-out";
  const failed = over || feed.error;
  const empty = q ? "empty-found" : `empty-${state}`;
  const title = over ? owner.text("signed-out") : (feed.error ?? owner.text(empty));
  redraw(note, `${empty} ${over} ${title}`, () => [
    h(
      "span",
      { class: "level", "data-level": failed ? "error" : "info" },
      icon(failed ? "error" : state === "archived" ? "archive" : state === "snoozed" ? "snooze" : "check"),
    ),
    h("strong", {}, title),
    failed
      ? button("text", () => (over ? location.reload() : feed.loadMore()), owner.text(over ? "reload" : "retry"))
      : h("span", {}, owner.text(`${empty}-hint`)),
  ]);
}
