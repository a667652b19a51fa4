/** How messages stand among each other, as the time goes on. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { rowStates } from "../../notifications/static/notifications/src/elements/chat/row-states.js";

const at = (day, hour) => new Date(2026, 10, day, hour).toISOString();
const message = (number, created_at) => ({ number, version: number, kind: "text", author: { id: 2 }, created_at });
const owner = (now) => ({ client: { me: { id: 1 }, locale: "en", now: () => now.getTime() } });

test("a day is called what it is called now: after midnight, today is yesterday", () => {
  const room = { messages: [message(1, at(20, 9)), message(2, at(21, 22)), message(3, at(21, 23))], waiting: [] };
  const days = (now) => rowStates(room, owner(now), 0).map(([, { day }]) => day);
  assert.deepEqual(days(new Date(2026, 10, 21, 23, 59)), ["Yesterday", "Today", ""]);
  assert.deepEqual(days(new Date(2026, 10, 22, 0, 1)), ["Friday", "Yesterday", ""]);
});
