/** The count in the title of a hidden tab: "(3) Inbox". */

import { isVisible } from "../core/browser.js";
import { countText } from "../core/locale.js";

/**
 * @param {import("./live-inbox.js").LiveInbox} inbox
 * @param {Document} document
 */
export function countInTitle(inbox, document) {
  const { ended } = inbox;
  let written = "";
  let original = "";
  const show = () => {
    const { unseen } = inbox.counts;
    if (document.title !== written) original = document.title; // the page changed it meanwhile
    const counted = unseen && !isVisible(document) && !ended.aborted;
    written = counted ? `(${countText(unseen, inbox.locale)}) ${original}` : original;
    if (document.title !== written) document.title = written;
  };
  inbox.on("change", show);
  document.addEventListener("visibilitychange", show, { signal: ended });
  ended.addEventListener("abort", show);
}
