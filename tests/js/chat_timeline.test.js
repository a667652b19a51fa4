/** The messages of a room: their order, their versions, and the holes between them. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { Timeline } from "../../notifications/static/notifications/src/chat/timeline.js";

const at = (modseq, epoch = "e") => `room-7=${epoch}.${modseq}`;
const message = (number, version = number, body = `${number}.${version}`) => ({
  number,
  version,
  body,
  created_at: "",
});
const frame = (from, to, ...messages) => ({ type: "message", room: 7, from: at(from), to: at(to), messages });
const reset = (cursor, before, ...messages) => ({ type: "reset", room: 7, cursor: at(cursor), before, messages });
const bodies = ({ messages }) => messages.map(({ body }) => body);

function begun(...frames) {
  const timeline = new Timeline(7);
  for (const one of [reset(2, null, message(1), message(2)), ...frames]) timeline.apply(one);
  return timeline;
}

test("messages are sorted by number, not by arrival", () => {
  assert.deepEqual(bodies(begun(frame(3, 4, message(4)), frame(2, 3, message(3)))), ["1.1", "2.2", "3.3", "4.4"]);
});

test("the higher version stays, whatever comes later", () => {
  assert.deepEqual(bodies(begun(frame(2, 9, message(1, 9)), frame(2, 5, message(1, 5)), frame(2, 9, message(1, 9)))), [
    "1.9",
    "2.2",
  ]);
});

test("an acknowledgement's own message gives way to the server's", () => {
  const timeline = begun();
  timeline.put(message(3, 0, "as typed"));
  timeline.apply(frame(2, 3, message(3, 3, "as stored")));
  timeline.put(message(3, 0, "as typed"));
  assert.deepEqual(bodies(timeline).at(-1), "as stored");
});

test("a frame that begins later than ours ended shows a hole, and the cursor stays before it", () => {
  const timeline = begun();
  assert.ok(timeline.apply(frame(3, 4, message(4))).hole);
  assert.equal(timeline.cursor, at(2));
  assert.ok(!timeline.apply(frame(2, 4, message(3), message(4))).hole);
  assert.equal(timeline.cursor, at(4));
});

test("a heartbeat shows whether the server is ahead", () => {
  const timeline = begun();
  assert.ok(!timeline.behind(`inbox=x.9,${at(2)}`));
  assert.ok(timeline.behind(`inbox=x.9,${at(3)}`));
  assert.ok(timeline.behind(at(1, "other")));
  assert.ok(!timeline.behind("inbox=x.9,room-77=e.9"));
});

test("another epoch is a hole, for its versions do not compare", () => {
  const timeline = begun();
  assert.ok(timeline.apply({ ...frame(2, 3, message(1, 99)), from: at(2, "new"), to: at(3, "new") }).hole);
  assert.deepEqual(bodies(timeline), ["1.1", "2.2"]);
});

test("only what is newer than all before is an arrival", () => {
  const timeline = begun();
  assert.deepEqual(
    timeline.apply(frame(2, 4, message(1, 3), message(3, 4))).arrivals.map(({ number }) => number),
    [3],
  );
  assert.deepEqual(timeline.apply(frame(2, 4, message(3, 4))).arrivals, []);
});

test("a change of a message that is not paged yet is left for the page that brings it", () => {
  const timeline = new Timeline(7);
  timeline.apply(reset(60, 51, ...Array.from({ length: 10 }, (_, index) => message(51 + index))));
  timeline.apply(frame(60, 61, message(12, 61)));
  assert.equal(timeline.get(12), undefined);
  timeline.page({ messages: Array.from({ length: 50 }, (_, index) => message(1 + index)), before: null });
  assert.equal(timeline.messages.length, 60);
  assert.equal(timeline.before, null);
});

test("what is trimmed is paged again", () => {
  const timeline = begun(frame(2, 5, message(3), message(4), message(5)));
  timeline.trim(2);
  assert.deepEqual([timeline.low, timeline.before, bodies(timeline)], [4, 4, ["4.4", "5.5"]]);
});

test("in an empty room the first message that is seen need not be the first", () => {
  const timeline = new Timeline(7);
  timeline.apply(reset(0, null));
  timeline.apply(frame(1, 2, message(2)));
  timeline.apply(frame(0, 2, message(1), message(2)));
  assert.deepEqual(bodies(timeline), ["1.1", "2.2"]);
});

test("a message that did not change is the same object", () => {
  const timeline = begun();
  const [first] = timeline.messages;
  timeline.apply(frame(2, 3, message(3)));
  assert.equal(timeline.messages[0], first);
});

test("reactions come without the text that they stand under, and change nothing else", () => {
  const timeline = begun();
  const reactions = [{ emoji: "👍", count: 1, users: [2] }];
  const { hole, arrivals } = timeline.apply({ ...frame(2, 3), reactions: [{ number: 1, version: 3, reactions }] });
  assert.deepEqual([hole, arrivals], [false, []]);
  assert.deepEqual(timeline.get(1), { ...message(1, 3, "1.1"), reactions });
  assert.equal(timeline.cursor, at(3));
  timeline.apply({ ...frame(2, 3), reactions: [{ number: 1, version: 2, reactions: [] }] });
  assert.deepEqual(timeline.get(1).reactions, reactions, "the higher version stays");
});

test("behind a hole reactions are left for the replay, which knows whether the text changed too", () => {
  const timeline = begun();
  assert.ok(timeline.apply({ ...frame(4, 5), reactions: [{ number: 1, version: 5, reactions: [] }] }).hole);
  timeline.apply(frame(2, 5, message(1, 5, "edited at 4, reacted to at 5")));
  assert.deepEqual(bodies(timeline), ["edited at 4, reacted to at 5", "2.2"]);
});

test("a page that was read before a change of what it brings is out of date", () => {
  const timeline = new Timeline(7);
  timeline.apply(reset(60, 51, ...Array.from({ length: 10 }, (_, index) => message(51 + index))));
  assert.ok(!timeline.outdates({ cursor: at(60) }));
  timeline.apply(frame(60, 61, message(12, 61)));
  timeline.apply({ ...frame(61, 62), reactions: [{ number: 12, version: 62, reactions: [] }] });
  assert.deepEqual(
    [60, 61, 62].map((head) => timeline.outdates({ cursor: at(head) })),
    [true, true, false],
  );
});
