/** The icons of a feed: those that all elements share, and those of what can be done with an item. */

import { draw, PATHS } from "./icons.js";

const SHAPES = {
  ...PATHS,
  mute: "M6 9a6 6 0 0 1 9-5.2M18 9c0 5 2 6.5 2 7.5H9M6 9c0 5-2 6.5-2 7.5h1M10 20a2.2 2.2 0 0 0 4 0M4 4l16 16",
  check: "m5 12.5 4.5 4.5L19 7.5",
  unread: "M12 7.5a4.5 4.5 0 1 0 .01 0z",
  archive: "M4 5h16v4H4zM5.5 9v10h13V9M10 13h4",
  snooze: "M12 7v5l3.5 2M12 3.5a8.5 8.5 0 1 0 .01 0z",
  pin: "M9 4h6l-1 7 3 3H7l3-3zM12 14v6",
  keys: "M3.5 6.5h17v11h-17zM7 10v.01M11 10v.01M15 10v.01M8 14h8",
  unarchive: "M4 5h16v4H4zM5.5 9v10h13V9M12 17v-5m-2 2 2-2 2 2",
};

/** @param {string} name */
export const icon = (name) => draw(/** @type {Record<string, string>} */ (SHAPES)[name]);
