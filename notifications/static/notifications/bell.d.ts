export * from "./types/entries/bell.js";
