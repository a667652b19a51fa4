/** Every browser API that may be missing, throw, reject, never answer or lie: the page is live all the same. */

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  askToNotify,
  attempt,
  badgeApp,
  canStyle,
  isOffline,
  isTouch,
  isVisible,
  keptStorage,
  mayNotify,
  nextFrame,
  openChannel,
  playTones,
  randomBytes,
  report,
  settled,
  showAddress,
  showDesktop,
  surroundings,
  whenResized,
  whenSeen,
} from "../../notifications/static/notifications/src/core/browser.js";
import {
  dateText,
  listText,
  localeFor,
  numeral,
  relativeText,
} from "../../notifications/static/notifications/src/core/locale.js";
import { UserStorage } from "../../notifications/static/notifications/src/core/storage.js";
import { addExtras } from "../../notifications/static/notifications/src/inbox/extras.js";
import { Browser } from "./support/browser.js";
import { settle } from "./support/clock.js";
import { Inbox } from "./support/server.js";
import { wire } from "./support/wire.js";

addExtras();

const never = () => new Promise(() => {});
const rejects = () => Promise.reject(new DOMException("denied", "SecurityError"));
const throws = () => {
  throw new DOMException("denied", "SecurityError");
};

/** An object whose every member breaks in the same way. */
const broken = (act) => new Proxy(class {}, { get: () => act, construct: act === throws ? throws : undefined });

/** The ways in which an API breaks, each as its value. */
const WAYS = {
  absent: undefined,
  throws: broken(throws),
  rejects: broken(rejects),
  "never settles": broken(never),
  lies: broken(() => undefined),
};

const NAMES = [
  "BroadcastChannel",
  "navigator",
  "localStorage",
  "Notification",
  "AudioContext",
  "crypto",
  "Intl",
  "requestAnimationFrame",
  "matchMedia",
  "CSS",
  "history",
  "IntersectionObserver",
  "ResizeObserver",
  "reportError",
];

/** Put something in the place of a global until the test is over. */
function replace(context, name, descriptor) {
  const before = Object.getOwnPropertyDescriptor(globalThis, name);
  Object.defineProperty(globalThis, name, { configurable: true, ...descriptor });
  context.after(() => {
    if (before) Object.defineProperty(globalThis, name, before);
    else delete globalThis[name];
  });
}

const getters = [["a mention throws", { get: throws }]];
const ways = [...Object.entries(WAYS).map(([way, value]) => [way, { value, writable: true }]), ...getters];

const ANSWERS_LATER = ["navigator", "Notification", "AudioContext"];

for (const name of NAMES) {
  for (const [way, descriptor] of ways) {
    if (/rejects|never/.test(way) && !ANSWERS_LATER.includes(name)) continue;
    test(`${name}, ${way}: what asks for it goes on`, async (context) => {
      context.mock.method(console, "error", () => {});
      if (name === "navigator") replace(context, "navigator", { value: {}, writable: true });
      replace(context, name, descriptor);
      surroundings();
      assert.equal(typeof isOffline(), "boolean");
      assert.equal(typeof isVisible(), "boolean");
      assert.equal(randomBytes(16).length, 16);
      assert.equal(typeof numeral(1, "en"), "string");
      assert.equal(typeof (relativeText(-1, "day", "en") ?? ""), "string");
      assert.equal(typeof dateText(new Date(0), "en", { dateStyle: "short" }), "string");
      assert.ok(listText(["Ada", "Bo"], "en").includes("Bo") || way === "lies" || name === "Intl");
      assert.ok([undefined, "en"].includes(localeFor("en")?.slice(0, 2)));
      assert.equal(typeof canStyle("color", "red"), "boolean");
      assert.equal(typeof isTouch(), "boolean");
      assert.equal(mayNotify(), false);
      for (const act of [
        () => playTones([440]),
        () => badgeApp(1),
        () => showAddress("/"),
        () => report(new Error("x")),
      ])
        assert.doesNotThrow(act);
      whenSeen({}, () => {})();
      whenResized([{}], () => {});
      openChannel(
        attempt(() => globalThis.BroadcastChannel),
        "x",
        () => {},
      )?.close?.();
      const storage = new UserStorage(keptStorage(), "x ");
      storage.set("a", 1);
      storage.remove("a");
      assert.ok([null, 1].includes(storage.get("a")));
      await new Promise((resolve) => nextFrame(() => resolve()));
      if (way !== "never settles") assert.equal(await askToNotify(), false);
      assert.equal(await showDesktop("title", {}, () => {}), undefined);
    });
  }
}

/** A tab of the browser as it is, not of one that a test made up. */
async function visit(context, own) {
  const server = await wire(context);
  const browser = new Browser(context);
  const inbox = new Inbox();
  const tab = browser.tab({ urls: { ...server.urls, socket: null }, cursor: inbox.cursor(), env: own(browser) });
  tab.client.start();
  await settle();
  return { ...server, ...tab, browser, inbox };
}

const hello = (inbox) => ({ type: "hello", v: 1, cursor: inbox.cursor(), heartbeat: 25, ...inbox.counts });

const Deaf = class {
  postMessage() {}
  close() {}
};
const Throwing = class {
  constructor() {
    throws();
  }
};
const Dumb = class {
  postMessage() {
    throws();
  }
  close() {
    throws();
  }
};

for (const [what, own] of [
  ["no BroadcastChannel", () => ({ BroadcastChannel: undefined })],
  ["a BroadcastChannel that throws", () => ({ BroadcastChannel: Throwing })],
  ["a BroadcastChannel that can only be made", () => ({ BroadcastChannel: Dumb })],
  ["a BroadcastChannel that nobody hears", () => ({ BroadcastChannel: Deaf })],
  ["no Web Locks", () => ({ locks: undefined })],
  ["Web Locks that throw", () => ({ locks: { request: throws, query: throws } })],
  ["Web Locks that reject", () => ({ locks: { request: rejects, query: rejects } })],
  ["Web Locks that never settle", () => ({ locks: { request: never, query: never } })],
  ["Web Locks that return nothing", () => ({ locks: { request: () => undefined, query: () => undefined } })],
  ["a storage that throws", () => ({ storage: { getItem: throws, setItem: throws, removeItem: throws } })],
  ["a storage full of nonsense", () => ({ storage: { getItem: () => '{"a":1}', setItem() {}, removeItem() {} } })],
  [
    "a page that says it is hidden, always",
    () => ({ document: Object.assign(new EventTarget(), { visibilityState: "hidden", title: "", cookie: "" }) }),
  ],
  [
    "a page that does not say whether it is seen",
    () => ({ document: Object.assign(new EventTarget(), { title: "", cookie: "" }) }),
  ],
  ["a browser that says it is offline", () => ({ isOffline: () => true })],
]) {
  test(`${what}: the page is live, and what arrives is shown`, async (context) => {
    const { client, browser, peers, state, until, inbox } = await visit(context, own);
    await browser.clock.pass(12_000); // a lock that never comes is waited for
    const stream = await peers.nth(1);
    stream.send(hello(inbox));
    await state("live");
    const from = inbox.cursor();
    inbox.create();
    stream.send(...inbox.since(from));
    await until(() => client.counts.unread === 1);
    client.alerts.setSound(true);
    assert.equal(typeof client.alerts.sound, "boolean");
  });
}

test("two tabs that do not hear each other are both live, whatever the lock says", async (context) => {
  const server = await wire(context);
  const browser = new Browser(context);
  const inbox = new Inbox();
  const tabs = [0, 1].map(() =>
    browser.tab({ urls: { ...server.urls, socket: null }, cursor: inbox.cursor(), env: { BroadcastChannel: Deaf } }),
  );
  for (const { client } of tabs) client.start();
  await settle();
  await browser.clock.pass(6_000);
  for (let count = 1; count <= 2; count++) (await server.peers.nth(count)).send(hello(inbox));
  await Promise.all(tabs.map(({ state }) => state("live")));
  await browser.clock.pass(20_000);
  assert.equal(server.peers.length, 2, "they do not take the lead from each other in turn");
});

test("a socket that cannot be made is no reason to wait", async (context) => {
  const server = await wire(context);
  const browser = new Browser(context);
  const { client, state } = browser.tab({ urls: { ...server.urls, stream: "" }, env: { WebSocket: Throwing } });
  client.start();
  await state("reconnecting");
  assert.equal(client.state.reason, "network");
});

test("settled() says nothing rather than something wrong", async () => {
  assert.equal(await settled(throws), undefined);
  assert.equal(await settled(rejects), undefined);
  assert.equal(await settled(never, 1), undefined);
  assert.equal(await settled(() => 7), 7);
});

test("the reader's own variant of the page's language writes numbers and times", (context) => {
  replace(context, "navigator", { value: { languages: ["fr-FR", "en-GB", "en"] } });
  assert.equal(localeFor("en"), "en-GB");
  assert.equal(localeFor("en-us"), "en-GB");
  assert.equal(localeFor("de"), "de");
  assert.equal(localeFor("no such language"), undefined);
  assert.match(dateText(new Date(2026, 1, 3, 15, 4), localeFor("en"), { timeStyle: "short" }), /^15:04$/);
});

test("a format is made once for each language and its options", (context) => {
  let made = 0;
  const DateTimeFormat = class extends Intl.DateTimeFormat {
    constructor(...options) {
      super(...options);
      made++;
    }
  };
  replace(context, "Intl", { value: { DateTimeFormat } });
  const options = () => ({ timeStyle: "short", timeZone: "UTC" });
  const texts = [9, 10, 11].map((hour) => dateText(new Date(Date.UTC(2026, 1, 3, hour)), "de-AT", options()));
  assert.deepEqual([texts, made], [["09:00", "10:00", "11:00"], 1]);
  dateText(new Date(), "de-CH", options());
  assert.equal(made, 2);
});
