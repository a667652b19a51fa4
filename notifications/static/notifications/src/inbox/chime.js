/** Two bells, made here: a sound file would be one more request and one more content security rule. */

import { playTones } from "../core/browser.js";

export const chime = () => playTones([880, 1320]);
