/** Attention: not an open connection, but a page that can be seen and has the focus. */

import { attempt, isVisible } from "./browser.js";

/** Whether somebody looks at the page: it can be seen, and has the focus, as far as the browser knows. */
export const isAttended = () => isVisible() && attempt(() => document.hasFocus()) !== false;

/** Call whenever somebody may begin to look at the page. @param {() => void} callback @param {AbortSignal} signal */
export function whenAttended(callback, signal) {
  document.addEventListener("visibilitychange", callback, { signal });
  addEventListener("focus", callback, { signal });
}
