/** The types of the bundle `bell.js`: those of `notifications.js`. */

export * from "./notifications.js";
