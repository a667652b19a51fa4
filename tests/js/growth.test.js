/** Who made an item grow, in words. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { people } from "../../notifications/static/notifications/src/elements/growth.js";

const owner = (locale, others) => ({
  client: { locale },
  text: (_name, { count }) => others.replace("{count}", count),
});
const item = {
  title: "",
  actor: null,
  group: { actors: 5, latest: [{ name: "Eve" }, { name: "Dora" }, { name: "Cem" }] },
};

test("names keep their own direction, and the words between them that of the sentence", () => {
  const isolated = (text) => `\u2068${text}\u2069`;
  const shown = people(item, owner("ar", "{count} غيرهم"));
  // The first letter of the line is Latin: without an isolate of its own the whole would run from left to right.
  assert.equal(shown, isolated(`${isolated("Eve")} و${isolated("Dora")} و3 غيرهم`));
});

test("of more than three people two are named", () => {
  const shown = people(item, owner("en", "{count} others"));
  assert.equal(shown.replaceAll(/[\u2068\u2069]/g, ""), "Eve, Dora, and 3 others");
});
