/** Whatever the network does to frames, and whatever the user does meanwhile: in the end the store equals the server. */

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";

import { Store } from "../../notifications/static/notifications/src/inbox/store.js";
import { Inbox } from "./support/server.js";

const NOW = "2026-11-21T09:00:00Z";
const CHANGES = {
  read: { read_at: NOW, seen_at: NOW },
  unread: { read_at: null },
  archive: { archived_at: NOW },
  unarchive: { archived_at: null },
};

const id = fc.integer({ min: 1, max: 12 });
const action = fc.constantFrom("read", "unread", "archive", "unarchive");
const events = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ do: fc.constant("create") }) },
    { weight: 6, arbitrary: fc.record({ do: fc.constant("elsewhere"), action, id }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("remove"), id }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("all"), action: fc.constantFrom("read-all", "seen") }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("renew") }) },
    {
      weight: 8,
      arbitrary: fc.record({ do: fc.constant("publish"), at: fc.nat(40), piece: fc.integer({ min: 1, max: 4 }) }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("snapshot") }) },
    { weight: 12, arbitrary: fc.record({ do: fc.constant("deliver"), which: fc.nat(200), keep: fc.boolean() }) },
    { weight: 4, arbitrary: fc.record({ do: fc.constant("update"), action, id }) },
    { weight: 4, arbitrary: fc.record({ do: fc.constant("reach"), which: fc.nat(20) }) },
    { weight: 4, arbitrary: fc.record({ do: fc.constant("answer"), which: fc.nat(20), well: fc.boolean() }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant("page") }) },
  ),
  { minLength: 10, maxLength: 120 },
);

function run(script) {
  const inbox = new Inbox();
  const store = new Store({ cursor: inbox.cursor(), ...inbox.counts }, Date.now);
  const wire = []; // frames on their way: any may come next, again, or never
  const requests = []; // the user's changes on their way
  const pick = (list, which) => (list.length ? which % list.length : -1);

  const steps = {
    create: () => inbox.create(),
    elsewhere: ({ action, id }) => inbox.act(action, id),
    remove: ({ id }) => inbox.remove(id),
    all: ({ action }) => inbox.all(action),
    renew: () => inbox.renew(),
    publish: ({ at, piece }) => wire.push(...inbox.since(inbox.cursor(Math.min(at, inbox.head)), piece)),
    snapshot: () => wire.push(inbox.reset()),
    deliver({ which, keep }) {
      const index = pick(wire, which);
      if (index >= 0) store.apply(structuredClone(keep ? wire[index] : wire.splice(index, 1)[0]));
    },
    update({ action, id }) {
      if (store.items.some((item) => item.id === id))
        requests.push({ action, id, update: store.optimisticUpdate(CHANGES[action], [id]), reached: false });
    },
    reach({ which }) {
      const request = requests[pick(requests, which)];
      if (!request || request.reached) return;
      request.reached = true;
      inbox.act(request.action, request.id);
    },
    answer({ which, well }) {
      const index = pick(requests, which);
      if (index < 0) return;
      const [{ action, id, update, reached }] = requests.splice(index, 1);
      if (well && !reached) inbox.act(action, id);
      if (well) store.settle(update);
      else store.cancel(update); // perhaps the server did it, and the answer was lost
    },
    page: () => store.page(inbox.page()),
  };
  for (const step of script) {
    steps[step.do](step);
    const { unread, unseen } = store.counts;
    assert.ok(unread >= 0 && unseen >= 0);
  }
  for (const request of requests.splice(0)) store.cancel(request.update);

  // The stream is whole again: its heartbeat tells the position, and the client asks until it is there.
  let rounds = 0;
  while (store.apply(inbox.heartbeat()).hole) {
    assert.ok(++rounds <= 2, "catching up ends");
    for (const frame of inbox.since(store.cursor)) assert.ok(!store.apply(frame).hole);
  }
  return { inbox, store };
}

test("any order, repetition or loss of frames converges to the server's state", () => {
  fc.assert(
    fc.property(events, (script) => {
      const { inbox, store } = run(script);
      for (const item of store.items) assert.deepEqual({ ...item }, inbox.rows.get(item.id), "what is shown is true");
      const shown = new Set(store.items.map(({ id }) => id));
      const missing = [...inbox.rows.values()].filter((row) => !row.removed && !row.archived_at && !shown.has(row.id));
      assert.deepEqual(missing, [], "nothing is missing");
      assert.deepEqual(store.counts, inbox.counts);
      assert.equal(store.cursor, inbox.cursor());
    }),
    { numRuns: 2_000 },
  );
});

test("a second client that saw every frame in order shows the same", () => {
  fc.assert(
    fc.property(events, (script) => {
      const { inbox, store } = run(script);
      const other = new Store({ cursor: "", unread: 0, unseen: 0 }, Date.now);
      for (const frame of inbox.since("")) other.apply(frame);
      assert.deepEqual(
        store.items.filter((item) => !item.archived_at).map(({ id }) => id),
        other.items.map(({ id }) => id),
      );
    }),
    { numRuns: 300 },
  );
});
