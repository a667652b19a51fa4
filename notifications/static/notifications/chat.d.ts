export * from "./types/entries/chat.js";
