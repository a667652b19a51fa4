/** The cases of web-platform-tests `eventsource/format-*`, whole and split at every byte. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { parser } from "../../notifications/static/notifications/src/core/sse.js";

const utf8 = new TextEncoder();

function parse(...chunks) {
  const events = [];
  const retries = [];
  const push = parser(
    (event) => events.push(event),
    (time) => retries.push(time),
  );
  for (const chunk of chunks) push(typeof chunk === "string" ? utf8.encode(chunk) : chunk);
  return { events, retries };
}

const message = (data, type = "message") => ({ type, data });
const long = "x".repeat(20_000);

const CASES = [
  ["a byte order mark is dropped", "\uFEFFdata:1\n\ndata:2\n\n", [message("1"), message("2")]],
  ["only the first byte order mark is dropped", "\uFEFF\uFEFFdata:1\n\ndata:2\n\n\uFEFFdata:3\n\n", [message("2")]],
  [
    "a comment is nothing",
    `data:1\r:\0\n:\r\ndata:2\n:${long}\rdata:3\n:data:fail\r:${long}\ndata:4\n\n`,
    [message("1\n2\n3\n4")],
  ],
  ["data before a NUL, then a space", "data:\0\n\n", [message("\0")]],
  ["an event without its empty line is not sent", "event:test\ndata:test", []],
  [
    "an event that ends with the stream is not sent",
    "retry:1000\ndata:test1\n\nid:test\ndata:test2",
    [message("test1")],
  ],
  [
    "only one space is removed",
    "data:  test\n\ndata:\ttest\n\ndata: test\n\n",
    [message(" test"), message("\ttest"), message("test")],
  ],
  [
    "a name is compared exactly",
    "data:test\n data\ndata\nfoobar:xxx\njustsometext\n:thisisacommentyay\n\n",
    [message("test\n")],
  ],
  [
    "mixed ends of lines",
    "data:msg\ndata:msg\r\n\ndata:x\r\rdata:y\r\n\r\n",
    [message("msg\nmsg"), message("x"), message("y")],
  ],
  ["an event without data is not sent, and takes its name along", "event:a\n\ndata:1\n\n", [message("1")]],
  [
    "an empty data line is one",
    "data:\n\ndata\n\ndata\ndata\n\ndata:test\n\n",
    [message(""), message(""), message("\n"), message("test")],
  ],
  ["the name of an event", "event:test\ndata:x\n\ndata:x\n\n", [message("x", "test"), message("x")]],
  ["an empty name means message", "event: \ndata:data\n\n", [message("data")]],
  ["the last name counts", "event:a\nevent:b\ndata:x\n\n", [message("x", "b")]],
  [
    "ids are passed over: frames name their own positions",
    "id:1\ndata:a\n\nid:7\n\ndata:b\nid\n\n",
    [message("a"), message("b")],
  ],
  ["characters of several bytes", "data:ok…\n\ndata:\u{1F514} ü\n\n", [message("ok…"), message("\u{1F514} ü")]],
  ["a field without a colon", "data\n\n", [message("")]],
  ["a colon in the value", "data:a:b\n\n", [message("a:b")]],
];

for (const [name, text, expected] of CASES) {
  test(`${name}`, () => {
    assert.deepEqual(parse(text).events, expected);
    const bytes = utf8.encode(text);
    if (bytes.length < 1_000)
      for (let cut = 0; cut <= bytes.length; cut++) {
        assert.deepEqual(parse(bytes.slice(0, cut), bytes.slice(cut)).events, expected, `cut at byte ${cut}`);
      }
    assert.deepEqual(parse(...[...bytes].map((byte) => Uint8Array.of(byte))).events, expected, "byte by byte");
  });
}

test("invalid UTF-8 becomes the replacement character", () => {
  assert.deepEqual(parse("data:", Uint8Array.of(0xff), "x\n\n").events, [message("\uFFFDx")]);
});

test("retry is taken if it is digits and nothing else", () => {
  const { retries } = parse("retry:3000\nretry:3000x\nretry: 10\nretry:\nretry:1e3\nretry:-1\nretry:٣\n");
  assert.deepEqual(retries, [3000, 10]);
});

test("a line that never ends is given up, not cut", () => {
  const push = parser(() => assert.fail("no event"));
  const chunk = utf8.encode(`data:${"x".repeat(65_536)}`);
  assert.throws(() => {
    for (let count = 0; count < 10; count++) push(chunk);
  }, RangeError);
});

test("an event of endless lines is given up", () => {
  const push = parser(() => assert.fail("no event"));
  const chunk = utf8.encode("data:xxxxxxxxxxxx\n".repeat(10_000));
  assert.throws(() => {
    for (let count = 0; count < 10; count++) push(chunk);
  }, RangeError);
});

test("a frame of the largest size passes, and many after it", () => {
  const text = `data:${"x".repeat(40_000)}\n\n`;
  assert.equal(parse(...Array(50).fill(text)).events.length, 50);
});
