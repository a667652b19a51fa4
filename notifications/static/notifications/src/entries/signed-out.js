/** The bundle `signed-out.js`, for pages that nobody is signed in to: what the last user wrote and did not send goes. */

import { keptStorage } from "../core/browser.js";
import { forget } from "../core/storage.js";

const script = /** @type {HTMLElement | null} */ (document.querySelector("script[data-carillon-site]"));
forget(keptStorage(), script?.dataset.carillonSite, () => true);
