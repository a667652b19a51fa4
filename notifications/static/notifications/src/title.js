/**
 * Count in the title of a hidden tab: "(3) Inbox".
 *
 * @param {Document | undefined} document
 * @returns {(count: number) => void}
 */
export function titleCounter(document) {
  let mine = "";
  let own = "";
  return (count) => {
    if (!document) return;
    if (document.title !== mine) own = document.title; // the page changed it meanwhile
    const wanted = count && document.visibilityState === "hidden" ? `(${count > 99 ? "99+" : count}) ${own}` : own;
    if (document.title !== wanted) document.title = wanted;
    mine = wanted;
  };
}
