/** Pushes: what the service worker shows, and how a page comes by a subscription, in browsers that lack, deny and lie. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { existing, obstacle, subscribe } from "../../notifications/static/notifications/src/push/subscription.js";
import { serve } from "../../notifications/static/notifications/src/push/worker.js";

// What guards against browsers that never answer would otherwise keep the process for a minute after its last test.
const { setTimeout } = globalThis;
globalThis.setTimeout = (act, time) => setTimeout(act, time).unref();

const CONFIG = {
  key: "BKey_-",
  icon: "/icon.png",
  header: "X-CSRFToken",
  urls: { csrf: "/csrf/", clicked: "/clicked/", page: "/inbox/", push: "/push/" },
};
const PUSHED = {
  id: "1.2",
  user: "alice",
  tag: "tag",
  item: 7,
  lang: "en",
  unread: 3,
  url: "/where/",
  title: "Hello",
  body: "You",
};
const never = () => new Promise(() => {});

/** A service worker's surroundings, of which `own` takes the place of some. */
function worker(own = {}, answers = {}) {
  const listeners = {};
  const log = { shown: [], opened: [], focused: [], asked: [], closed: [] };
  const scope = {
    location: { href: "https://site.example/push/worker.js", hostname: "site.example" },
    addEventListener: (type, listener) => {
      listeners[type] = listener;
    },
    clients: {
      matchAll: async () => own.windows ?? [],
      openWindow: async (url) => {
        log.opened.push(url);
      },
    },
    registration: {
      getNotifications: async () => log.shown.filter(({ closed }) => !closed),
      showNotification: async (title, options) => {
        log.shown.push({ title, ...options, close: () => log.closed.push(title) });
      },
      pushManager: { subscribe: async () => made(log) },
    },
    ...own.scope,
  };
  const send = async (url, options) => {
    log.asked.push({ url, ...options });
    const answer = answers[url] ?? { token: "secret", here: 1 };
    return { ok: !answer.status, status: answer.status ?? 200, json: async () => answer };
  };
  serve(scope, CONFIG, own.send ?? send);
  const dispatch = async (type, event) => {
    const waiting = [];
    listeners[type]({ ...event, waitUntil: (promise) => waiting.push(promise) });
    await Promise.all(waiting);
  };
  return { ...log, log, dispatch, push: (data) => dispatch("push", { data: { json: () => data } }) };
}

const made = (log) => ({
  toJSON: () => ({ endpoint: "https://push.example/new", keys: {} }),
  unsubscribe: async () => {
    log.ended = true;
  },
});

const page = (url, focused = true, visibilityState = "visible") => ({ url, focused, visibilityState });

test("what is pushed is shown, with what a click needs", async () => {
  const { push, shown } = worker();
  await push(PUSHED);
  const [{ title, body, tag, lang, renotify, silent, icon, data }] = shown;
  assert.deepEqual(
    [title, body, tag, lang, renotify, silent, icon],
    ["Hello", "You", "tag", "en", false, false, "/icon.png"],
  );
  assert.deepEqual(data, { id: "1.2", user: "alice", item: 7, url: "/where/" });
});

test("nothing is shown to whoever looks at a tab of the site", async () => {
  const looking = worker({ windows: [page("https://site.example/", false), page("https://site.example/other/")] });
  await looking.push(PUSHED);
  assert.equal(looking.shown.length, 0);
  for (const other of [page("https://site.example/", false), page("https://site.example/", true, "hidden")]) {
    const { push, shown } = worker({ windows: [other] });
    await push(PUSHED);
    assert.equal(shown.length, 1);
  }
});

test("Safari is shown each, and it is closed at once for whoever looks", async (context) => {
  const safari = { userAgent: "Mozilla/5.0 (Macintosh) AppleWebKit/605 (KHTML, like Gecko) Version/19 Safari/605" };
  const before = Object.getOwnPropertyDescriptor(globalThis, "navigator");
  Object.defineProperty(globalThis, "navigator", { value: safari, configurable: true });
  context.after(() => before && Object.defineProperty(globalThis, "navigator", before));
  const { push, shown, closed } = worker({ windows: [page("https://site.example/")] });
  await push(PUSHED);
  assert.equal(shown[0].silent, true);
  assert.deepEqual(closed, ["Hello"]);
});

test("what has grown draws attention anew, and what was sent twice does not", async () => {
  const { push, shown } = worker();
  await push(PUSHED);
  await push(PUSHED);
  await push({ ...PUSHED, id: "2.3", title: "Hello again" });
  assert.deepEqual(
    shown.map(({ renotify }) => renotify),
    [false, false, true],
  );
});

test("of two pushes at once, one is looked for when the other is shown", async () => {
  const steps = [];
  const step = (name) => async () => {
    steps.push(name);
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
    steps.push(`${name} done`);
    return [];
  };
  const { push } = worker({
    scope: { registration: { getNotifications: step("look"), showNotification: step("show") } },
  });
  await Promise.all([push(PUSHED), push({ ...PUSHED, tag: "other" })]);
  const one = ["look", "look done", "show", "show done"];
  assert.deepEqual(steps, [...one, ...one]);
});

test("a push that never comes to be shown holds back no other for long", async (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const shown = [];
  const showNotification = (title) => (title === "Hello" ? never() : shown.push(title));
  const { push } = worker({ scope: { registration: { getNotifications: async () => [], showNotification } } });
  push(PUSHED);
  const done = push({ ...PUSHED, title: "And you" });
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
  assert.deepEqual(shown, []);
  context.mock.timers.tick(10_000);
  await done;
  assert.deepEqual(shown, ["And you"]);
});

test("what cannot be read is shown as something of the site, for browsers end what shows nothing", async () => {
  const { dispatch, shown } = worker();
  await dispatch("push", { data: null });
  await dispatch("push", {
    data: {
      json() {
        throw new SyntaxError();
      },
    },
  });
  assert.deepEqual(
    shown.map(({ title }) => title),
    ["site.example", "site.example"],
  );
});

test("a worker without windows, badges or a list of what is shown still shows", async () => {
  const fails = async () => {
    throw new Error("no");
  };
  const shown = [];
  const registration = { getNotifications: fails, showNotification: async (title) => shown.push(title) };
  await worker({ scope: { clients: { matchAll: fails }, registration } }).push(PUSHED);
  assert.deepEqual(shown, ["Hello"]);
});

test("a browser that never says what it shows holds back nothing", async (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const shown = [];
  const registration = { getNotifications: never, showNotification: async (title) => shown.push(title) };
  const done = worker({ scope: { clients: { matchAll: never }, registration } }).push(PUSHED);
  for (let step = 0; step < 2; step++) {
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
    context.mock.timers.tick(1_000);
  }
  await done;
  assert.deepEqual(shown, ["Hello"]);
});

const clicked = (data = { id: "1.2", user: "alice", item: 7, url: "/where/" }) => ({
  notification: { data, close() {} },
});

test("a click focuses the tab that is there", async () => {
  const focused = [];
  const there = { ...page("https://site.example/where/"), focus: async () => focused.push("where") };
  const { dispatch, opened } = worker({ windows: [page("https://site.example/"), there] });
  await dispatch("notificationclick", clicked());
  assert.deepEqual([focused, opened], [["where"], []]);
});

test("a click opens a tab where there is none, and where the one that is cannot be focused", async () => {
  const broken = {
    ...page("https://site.example/where/"),
    focus: async () => {
      throw new Error("InvalidAccessError");
    },
  };
  for (const windows of [[], [page("https://site.example/")], [broken]]) {
    const { dispatch, opened } = worker({ windows });
    await dispatch("notificationclick", clicked());
    assert.equal(opened[0], "https://site.example/where/");
  }
});

test("a click on one without a link opens the inbox, and on a link that is none opens nothing", async () => {
  const { dispatch, opened } = worker();
  await dispatch("notificationclick", clicked({ item: 0, url: "" }));
  await dispatch("notificationclick", { notification: { data: null, close() {} } });
  await dispatch("notificationclick", clicked({ item: 0, url: "javascript:alert(1)" }));
  await dispatch("notificationclick", clicked({ item: 0, url: "https://[" }));
  assert.deepEqual(opened, ["https://site.example/inbox/", "https://site.example/inbox/"]);
});

test("a click marks it as read, by the session of whom it was for", async () => {
  const { dispatch, asked } = worker();
  await dispatch("notificationclick", clicked());
  const [token, marked] = asked;
  assert.equal(token.url, "/csrf/");
  assert.equal(marked.url, "/clicked/");
  assert.equal(marked.body, '{"item":7}');
  assert.equal(marked.method, "POST");
  assert.equal(marked.headers["X-CSRFToken"], "secret");
  assert.equal(marked.headers["Carillon-User"], "alice");
});

test("where nobody is signed in any more nothing is marked, and the page opens all the same", async () => {
  const { dispatch, asked, opened } = worker({}, { "/csrf/": { status: 401 } });
  await dispatch("notificationclick", clicked());
  assert.equal(asked.length, 1);
  assert.deepEqual(opened, ["https://site.example/where/"]);
});

test("a server that never answers holds no worker for ever", async (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const { dispatch, opened } = worker({ send: never });
  const done = dispatch("notificationclick", clicked());
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
  context.mock.timers.tick(10_000);
  await done;
  assert.equal(opened.length, 1);
});

test("a subscription that the browser has replaced is told to the site", async () => {
  const { dispatch, asked } = worker();
  await dispatch("pushsubscriptionchange", { newSubscription: null, oldSubscription: null });
  assert.deepEqual(JSON.parse(asked[1].body), { endpoint: "https://push.example/new", keys: {}, renew: true });
});

test("one that nobody wants any more ends, and one that could not be told does not", async () => {
  const unwanted = worker({}, { "/push/": { here: null } });
  await unwanted.dispatch("pushsubscriptionchange", {});
  assert.equal(unwanted.log.ended, true);
  const offline = worker({}, { "/push/": { status: 503 } });
  await offline.dispatch("pushsubscriptionchange", {});
  assert.equal(offline.log.ended, undefined);
});

/** What a browser has, of which `own` takes the place of some. */
function browser(own = {}) {
  const log = { ended: 0, registered: [] };
  const key = Uint8Array.from(atob("BKey/w=="), (letter) => letter.charCodeAt(0)).buffer;
  const subscription = {
    endpoint: "https://push.example/1",
    options: { applicationServerKey: key },
    unsubscribe: async () => ++log.ended,
    ...own.subscription,
  };
  const pushManager = {
    getSubscription: async () => own.found ?? subscription,
    subscribe: async () => subscription,
    ...own.pushManager,
  };
  const registration = { active: {}, pushManager, ...own.registration };
  const workers = {
    getRegistration: async () => registration,
    register: async (url, options) => {
      log.registered.push([url, options.scope]);
      return registration;
    },
    ...own.workers,
  };
  const api = { workers, permission: () => "default", ask: async () => "granted", ...own.api };
  return { api, log, subscription };
}

test("what a browser cannot, and what people have denied", () => {
  assert.equal(obstacle(undefined), "unsupported");
  assert.equal(obstacle(browser({ api: { permission: () => "denied" } }).api), "denied");
  assert.equal(obstacle(browser().api), "");
  const broken = () => {
    throw new Error("no");
  };
  assert.equal(obstacle(browser({ api: { permission: broken } }).api), "");
});

test("a subscription for another key of the site's ends", async () => {
  const { api, log, subscription } = browser();
  assert.equal(await existing(api, "/push/", "BKey_w"), subscription);
  assert.equal(log.ended, 0);
  assert.equal(await existing(api, "/push/", "another"), undefined);
  assert.equal(log.ended, 1);
});

test("a browser that does not say for which key it is is believed", async () => {
  const { api, subscription } = browser({ subscription: { options: undefined } });
  assert.equal(await existing(api, "/push/", "BKey_w"), subscription);
});

test("no subscription is found where anything on the way is missing or fails", async () => {
  const fails = async () => {
    throw new Error("SecurityError");
  };
  for (const own of [
    { workers: { getRegistration: fails } },
    { workers: { getRegistration: async () => undefined } },
    { registration: { pushManager: undefined } },
    { pushManager: { getSubscription: fails } },
    { pushManager: { getSubscription: async () => null } },
  ])
    assert.equal(await existing(browser(own).api, "/push/", "BKey_w"), undefined);
  assert.equal(await existing(undefined, "/push/", "BKey_w"), undefined);
});

test("nothing is registered before people have agreed", async () => {
  for (const answer of ["denied", "default", undefined]) {
    const { api, log } = browser({ api: { ask: async () => answer } });
    await assert.rejects(subscribe(api, "/push/", "BKey_w"));
    assert.deepEqual(log.registered, []);
  }
  await assert.rejects(subscribe(undefined, "/push/", "BKey_w"));
});

test("the worker is registered beside the site's own, and waited for", async () => {
  const installing = new EventTarget();
  const { api, log, subscription } = browser({ registration: { active: null, installing } });
  const asked = subscribe(api, "/push/", "BKey_w");
  await new Promise(setImmediate);
  installing.state = "activated";
  installing.dispatchEvent(new Event("statechange"));
  assert.equal(await asked, subscription);
  assert.deepEqual(log.registered, [["/push/worker.js", "/push/"]]);
});

test("a push service that cannot be reached is a failure", async () => {
  const fails = async () => {
    throw new Error("AbortError: push service not available");
  };
  await assert.rejects(subscribe(browser({ pushManager: { subscribe: fails } }).api, "/push/", "BKey_w"));
  await assert.rejects(subscribe(browser({ workers: { register: fails } }).api, "/push/", "BKey_w"));
});
