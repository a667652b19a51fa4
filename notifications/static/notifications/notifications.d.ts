export * from "./types/entries/notifications.js";
