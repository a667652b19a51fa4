/** Compiled, never run: what the published types let a site do. */

import { connection } from "../../notifications/static/notifications/bell.js";
import { chat } from "../../notifications/static/notifications/chat.js";
import type { FeedEvent, Follower } from "../../notifications/static/notifications/feeds.js";
import { feeds } from "../../notifications/static/notifications/feeds.js";
import type { Client, Config, Item } from "../../notifications/static/notifications/notifications.js";
import { createClient } from "../../notifications/static/notifications/notifications.js";

declare const config: Config;
const client: Client = createClient(config);
client.on("state", ({ from, to, nextTryAt }) => console.log(from === to, nextTryAt ?? 0));
client.on("failure", ({ action, message, retry }) => console.log(action === "click", message.length, retry()));
client.on("notification", ({ items: [first], total }) => console.log(first?.title, total));
// @ts-expect-error there is no such event
client.on("message", () => {});
// @ts-expect-error what is internal is not published
client.store;

export const titles = (items: readonly Item[]) => items.map(({ title }) => title);
export const followed: Promise<boolean> | undefined = connection()?.follow([1, 2]);

const follower: Follower | undefined = feeds()?.follow("orders:42", {
  since: "",
  onEvent: ({ data, key, append }) => console.log(data.state, key, append ?? ""),
  onReset: (events, reason) => console.log(events.length, reason),
  onState: ({ name, reason }) => console.log(name === "gone", reason),
});
follower?.close();
export async function read(): Promise<FeedEvent | undefined> {
  for await (const event of feeds()?.follow("orders:42") ?? []) return event;
  return undefined;
}
// @ts-expect-error what is internal is not published
feeds()?.page;

chat()?.on("message", ({ room, messages }) => console.log(room.name, messages[0]?.body));
