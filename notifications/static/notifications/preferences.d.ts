export * from "./types/entries/preferences.js";
