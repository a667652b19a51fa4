/** Sound, desktop notification and app badge: asked for, once per browser, and only when people look elsewhere. */

import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { beforeEach, test } from "node:test";

import { addExtras } from "../../notifications/static/notifications/src/inbox/extras.js";
import { Browser } from "./support/browser.js";
import { settle } from "./support/clock.js";
import { Inbox } from "./support/server.js";
import { wire } from "./support/wire.js";

addExtras();

const shown = [];
const badges = [];
globalThis.Notification = class {
  static permission = "default";
  static answer = "granted";
  static async requestPermission() {
    Notification.permission = Notification.answer;
    return Notification.permission;
  }

  constructor(title, options) {
    shown.push({ title, ...options });
  }
};
const kept = new Map();
globalThis.localStorage = { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => kept.set(key, value) };
Object.defineProperty(globalThis, "navigator", {
  value: { setAppBadge: async (count) => badges.push(count) },
  configurable: true,
});

beforeEach(() => {
  shown.length = badges.length = 0;
  kept.clear();
  Notification.permission = "default";
  Notification.answer = "granted";
});

/** Two tabs of a browser, the first of which leads. */
async function open(context, more = {}) {
  const server = await wire(context);
  const browser = new Browser(context);
  const inbox = new Inbox();
  const tabs = [0, 1].map(() =>
    browser.tab({ urls: { ...server.urls, socket: null }, cursor: inbox.cursor(), ...more }),
  );
  for (const { client } of tabs) {
    client.start();
    await settle();
  }
  const stream = await server.peers.nth(1);
  stream.send({ type: "hello", v: 1, cursor: inbox.cursor(), heartbeat: 25, ...inbox.counts });
  await Promise.all(tabs.map(({ state }) => state("live")));
  const arrive = async (count = 1) => {
    const from = inbox.cursor();
    for (let index = 0; index < count; index++) inbox.create();
    stream.send(...inbox.since(from, 100));
    await Promise.all(tabs.map(({ until, client }) => until(() => client.counts.unread === inbox.counts.unread)));
    await settle();
  };
  return { tabs, arrive, browser };
}

test("nothing is on until the user asks", async (context) => {
  const { tabs, arrive } = await open(context);
  const [{ client }] = tabs;
  assert.deepEqual([client.alerts.sound, client.alerts.desktop], [false, false]);
  for (const { page } of tabs) page.hide();
  await arrive();
  assert.equal(shown.length, 0);
});

test("when people look at no tab the leader shows it, once", async (context) => {
  const { tabs, arrive } = await open(context);
  assert.equal(await tabs[1].client.alerts.setDesktop(true), true);
  assert.deepEqual(shown.splice(0), [{ title: "notifications", tag: "carillon" }], "one is shown, as a proof");
  for (const { page } of tabs) page.hide();
  await settle();
  await arrive();
  assert.deepEqual(shown, [{ title: "Number 1", body: "", tag: "carillon-1" }]);
});

test("a visible tab is enough", async (context) => {
  const { tabs, arrive } = await open(context);
  await tabs[0].client.alerts.setDesktop(true);
  shown.length = 0;
  tabs[0].page.hide();
  await settle();
  await arrive();
  assert.equal(shown.length, 0);
  tabs[1].page.tell("pagehide"); // it goes into the cache: nobody looks at it any more
  await settle();
  await tabs[0].until(() => tabs[0].client.leading);
  await arriveAlone(arrive, tabs);
  assert.equal(shown.length, 1);
});

/** The cached tab hears nothing: wait for the other alone. */
async function arriveAlone(arrive, tabs) {
  tabs.pop();
  await arrive();
}

test("of a flood three are shown", async (context) => {
  const { tabs, arrive } = await open(context);
  await tabs[0].client.alerts.setDesktop(true);
  shown.length = 0;
  for (const { page } of tabs) page.hide();
  await settle();
  await arrive(9);
  assert.deepEqual(
    shown.map(({ title }) => title),
    ["Number 7", "Number 8", "Number 9"],
  );
});

test("a refused permission stays off, and the choice is kept per user", async (context) => {
  const { tabs } = await open(context);
  Notification.answer = "denied";
  assert.equal(await tabs[0].client.alerts.setDesktop(true), false);
  tabs[0].client.alerts.setSound(true);
  assert.equal(tabs[1].client.alerts.sound, true);
  const [other] = (await open(context)).tabs;
  assert.equal(other.client.alerts.sound, true);
  tabs[1].client.alerts.setSound(false);
  assert.equal(other.client.alerts.sound, false);
});

test("storage that is forbidden means off, without a fault", async (context) => {
  const { localStorage } = globalThis;
  globalThis.localStorage = {
    getItem: () => assert.fail("SecurityError"),
    setItem: () => assert.fail("SecurityError"),
  };
  context.after(() => {
    globalThis.localStorage = localStorage;
  });
  const { tabs } = await open(context);
  tabs[0].client.alerts.setSound(true);
  assert.equal(tabs[0].client.alerts.sound, false);
});

test("where a permission is given and showing throws, the switch stays off, and goes off", async (context) => {
  const { Notification } = globalThis;
  const illegal = class {
    static permission = "granted";
    static requestPermission = async () => "granted";
    constructor() {
      throw new TypeError("Illegal constructor. Use ServiceWorkerRegistration.showNotification() instead.");
    }
  };
  context.after(() => {
    globalThis.Notification = Notification;
  });
  const { tabs, arrive } = await open(context);
  const { alerts } = tabs[0].client;
  globalThis.Notification = illegal;
  assert.equal(await alerts.setDesktop(true), false, "Chrome on Android");
  globalThis.Notification = Notification;
  assert.equal(await alerts.setDesktop(true), true);
  for (const { page } of tabs) page.hide();
  await settle();
  globalThis.Notification = illegal;
  await arrive();
  await tabs[0].until(() => !alerts.desktop);
});

test("where only a service worker may show it, it does", async (context) => {
  const { Notification, navigator } = globalThis;
  globalThis.Notification = { permission: "granted", requestPermission: async () => "granted" };
  const told = [];
  navigator.serviceWorker = {
    getRegistration: async () => ({ showNotification: async (title) => told.push(title) }),
  };
  context.after(() => {
    globalThis.Notification = Notification;
    delete navigator.serviceWorker;
  });
  const { tabs } = await open(context);
  assert.equal(await tabs[0].client.alerts.setDesktop(true), true);
  assert.deepEqual(told, ["notifications"]);
});

test("the app badge counts what is unseen", async (context) => {
  const { tabs, arrive } = await open(context);
  await arrive(2);
  assert.equal(badges.at(-1), 2);
  const told = badges.length;
  tabs[0].client.changed();
  await settle();
  assert.equal(badges.length, told, "what it shows already is not said again");
});

test("a client that has ended leaves no listener, no lock, no timer and no count behind", async (context) => {
  const { tabs, arrive, browser } = await open(context, { until: new Date(1.7e12 + 3_600_000).toISOString() });
  for (const { page } of tabs) page.hide();
  await arrive();
  await browser.clock.pass(1_000); // the patience with a browser that is asked for its locks
  for (const { client, page } of tabs) {
    assert.equal(page.document.title, "(1) Site");
    client.replace(); // which ends it, and renders once more
    await settle();
    assert.equal(page.document.title, "Site");
    const left = ["window", "document"].flatMap((name) =>
      ["pagehide", "pageshow", "online", "offline", "freeze", "resume", "visibilitychange"].flatMap((type) =>
        getEventListeners(page[name], type).map(() => type),
      ),
    );
    assert.deepEqual(left, []);
  }
  assert.deepEqual(
    [browser.locks.held, browser.locks.queue, browser.channels.size, browser.clock.waiting],
    [[], [], 0, 0],
  );
});

test("a visible tab that has ended is not looked at any more", async (context) => {
  const { tabs, browser } = await open(context);
  for (const { client } of tabs) client.destroy();
  await settle();
  assert.deepEqual(browser.locks.held, []);
});
