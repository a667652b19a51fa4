export * from "./types/entries/feeds-elements.js";
