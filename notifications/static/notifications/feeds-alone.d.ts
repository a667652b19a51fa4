export * from "./types/entries/feeds-alone.js";
