export * from "./types/entries/watch.js";
