/**
 * Count in the title of a hidden tab: "(3) Inbox".
 *
 * @param {Document} document
 * @returns {(count: number) => void}
 */
export function titleCounter(document) {
  let latest = 0;
  let mine = "";
  let own = "";
  const show = (count = latest) => {
    latest = count;
    if (document.title !== mine) own = document.title; // the page changed it meanwhile
    mine = count && document.visibilityState === "hidden" ? `(${count > 99 ? "99+" : count}) ${own}` : own;
    if (document.title !== mine) document.title = mine;
  };
  document.addEventListener("visibilitychange", () => show());
  return show;
}
