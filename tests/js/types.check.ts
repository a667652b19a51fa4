/** Compiled, never run: the published types are those of the sources. */

import { createClient } from "../../notifications/static/notifications/src/inbox/client.js";
import { connection } from "../../notifications/static/notifications/src/inbox/config.js";
import type * as Published from "../../notifications/static/notifications/notifications.js";

export const published: Pick<typeof Published, "createClient" | "connection"> = { createClient, connection };

declare const client: Published.Client;
client.on("state", ({ from, to, nextTryAt }) => console.log(from === to, nextTryAt ?? 0));
client.on("failure", ({ message, retry }) => console.log(message.length, retry()));
client.on("notification", ({ items: [first], total }) => console.log(first?.title, total));
// @ts-expect-error there is no such event
client.on("message", () => {});
