export * from "./types/entries/feeds.js";
