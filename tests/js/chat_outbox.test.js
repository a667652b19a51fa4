/** What waits to be sent, in the browser's store. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { Drafts } from "../../notifications/static/notifications/src/chat/drafts.js";
import { Outbox } from "../../notifications/static/notifications/src/chat/outbox.js";
import { MemoryStorage } from "./support/storage.js";

const ROOM = 7;
const outbox = (storage, user = "u") => new Outbox({ site: "s", user }, storage, () => 1_000);
const add = (box, ...bodies) => bodies.map((body) => box.add({ room: ROOM, body, reply_to: null }));
const bodies = (box) => box.of(ROOM).map(({ body }) => body);

test("what is added is there after a reload, in order, and under its user alone", () => {
  const storage = new MemoryStorage();
  add(outbox(storage), "one", "two", "three");
  assert.deepEqual(bodies(outbox(storage)), ["one", "two", "three"]);
  assert.deepEqual(bodies(outbox(storage, "another")), []);
});

test("what was under way before a reload is sent again; what failed for good waits for a decision", () => {
  const storage = new MemoryStorage();
  const before = outbox(storage);
  const [one, two] = add(before, "one", "two");
  before.change(one.id, { state: "failed", error: "Too long." });
  before.change(two.id, { state: "sending" });
  const after = outbox(storage);
  assert.deepEqual(
    after.of(ROOM).map(({ state, error }) => [state, error]),
    [
      ["failed", "Too long."],
      ["queued", undefined],
    ],
  );
  assert.equal(after.next(ROOM).id, two.id);
});

test("what is acknowledged leaves the store", () => {
  const storage = new MemoryStorage();
  const box = outbox(storage);
  for (const { id } of add(box, "one", "two")) box.drop(id);
  assert.deepEqual(Object.keys(storage), []);
});

test("ids are UUIDs of version 4, also without a secure context", () => {
  const [{ id }] = add(outbox(new MemoryStorage()), "one");
  assert.match(id, /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
});

test("it holds 200 messages, and says no to more", () => {
  const box = outbox(new MemoryStorage());
  const taken = add(box, ...Array.from({ length: 201 }, (_, index) => `${index}`)).filter(Boolean);
  assert.equal(taken.length, 200);
  assert.ok(box.full);
});

test("a full store loses nothing while the page stays", () => {
  const storage = new MemoryStorage();
  storage.setItem = () => {
    throw new DOMException("The quota has been exceeded.", "QuotaExceededError");
  };
  const box = outbox(storage);
  add(box, "one");
  box.sync();
  assert.deepEqual(bodies(box), ["one"]);
});

test("what another tab sent or deleted is let go of, unless it is under way here", () => {
  const storage = new MemoryStorage();
  const [here, there] = [outbox(storage), outbox(storage)];
  const [one, two] = add(there, "one", "two");
  here.sync();
  here.change(two.id, { state: "sending" });
  for (const { id } of [one, two]) {
    there.drop(id);
    here.heard(`carillon-outbox s u ${id}`, null);
  }
  assert.deepEqual(bodies(here), ["two"]);
});

test("what is no entry of ours in the store is passed over", () => {
  const storage = new MemoryStorage();
  storage.setItem("carillon-outbox s u 1", "{");
  storage.setItem("carillon-outbox s u 2", '{"body": 3}');
  storage.setItem("carillon-outbox s u 3", "null");
  assert.deepEqual(bodies(outbox(storage)), []);
});

test("a draft belongs to its room and its user, and an empty one leaves nothing behind", () => {
  const storage = new MemoryStorage();
  const drafts = new Drafts({ site: "s", user: "u" }, storage);
  drafts.set(ROOM, { body: "Half a tho", reply_to: 3 });
  assert.deepEqual(new Drafts({ site: "s", user: "u" }, storage).get(ROOM), { body: "Half a tho", reply_to: 3 });
  assert.deepEqual(new Drafts({ site: "s", user: "v" }, storage).get(ROOM), { body: "", reply_to: null });
  drafts.set(ROOM, { body: "", reply_to: null });
  assert.deepEqual(Object.keys(storage), []);
});
