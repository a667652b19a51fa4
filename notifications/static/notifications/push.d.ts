export * from "./types/entries/push.js";
