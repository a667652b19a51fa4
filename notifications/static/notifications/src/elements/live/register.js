/** Makes the elements of feeds known to the browser. */

import { define } from "../define.js";
import { LiveAnswer } from "./answer.js";
import { page } from "./element.js";
import { LivePart } from "./part.js";
import { LiveProgress } from "./progress.js";
import { LiveValue } from "./value.js";

/** @param {import("../../feeds/client.js").Feeds} feeds of the page */
export function register(feeds) {
  page.feeds = feeds;
  define({
    "live-value": LiveValue,
    "live-part": LivePart,
    "live-answer": LiveAnswer,
    "live-progress": LiveProgress,
  });
}
