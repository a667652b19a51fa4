/**
 * Tabs that follow feeds, under everything that can happen to them: of a log each of them tells every event once and in
 * order, and of a feed with keys the newest of each in the end.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";

import { Browser } from "./support/browser.js";
import { feedServer, follower } from "./support/feeds.js";

const RUNS = +(process.env.RUNS ?? 25);
const LOG = "log:a";
const PRICES = "prices";

const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ type: fc.constant("publish"), key: fc.integer({ min: 0, max: 2 }) }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant("miss") }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant("cut") }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant("pass"), time: fc.integer({ min: 1, max: 3_000 }) }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant("open") }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant("leave"), tab: fc.nat(3) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("hide"), tab: fc.nat(3) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant("again"),
      tab: fc.nat(3),
      time: fc.constantFrom(0, 2_000, 7_000, 17_000),
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("unreachable"), on: fc.boolean() }) },
);

test("every tab ends right", async (context) => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
      let reachable = true;
      const ends = [];
      const scope = { after: (end) => ends.push(end) };
      const server = await feedServer(scope, { reaches: () => reachable });
      const browser = new Browser(scope);
      const urls = { ...server.urls, socket: null };
      server.model.declare(PRICES, { keyed: true });
      let count = 0;
      const tabs = [];
      const open = () => {
        const tab = browser.tab({ urls });
        const { follow } = follower(tab, urls);
        tabs.push({ tab, follow, log: follow(LOG), prices: follow(PRICES) });
      };
      const publish = (key = 0) => {
        count++;
        server.model.publish(LOG, { n: count });
        server.model.publish(PRICES, { n: count }, { key: `k${key}` });
      };
      const act = {
        publish({ key }) {
          publish(key);
          server.flush();
        },
        miss: () => publish(), // nobody is told
        cut() {
          for (const { peer } of [...server.open]) peer.cut();
        },
        pass: ({ time }) => browser.clock.pass(time),
        open: () => tabs.length < 4 && open(),
        leave({ tab }) {
          if (tabs.length > 1) tabs.splice(tab % tabs.length, 1)[0].tab.client.destroy();
        },
        async hide({ tab }) {
          const { page } = tabs[tab % tabs.length].tab;
          page.tell("pagehide");
          await browser.clock.pass(100);
          page.tell("pageshow");
        },
        async again({ tab, time }) {
          const one = tabs[tab % tabs.length];
          one.log.handle.close();
          one.prices.handle.close();
          await browser.clock.pass(time);
          Object.assign(one, { log: one.follow(LOG), prices: one.follow(PRICES) });
        },
        unreachable({ on }) {
          reachable = !on;
        },
      };
      open();
      for (const one of steps) {
        await act[one.type](one);
        await browser.clock.pass(20);
      }
      publish();
      const heads = () => ({ type: "heartbeat", head: [LOG, PRICES].map((name) => server.model.cursor(name)).join() });
      const newest = (name) =>
        server.model
          .stream(name)
          .events.map(({ data }) => data.n)
          .join();
      const present = ({ handle }) => handle.events.map(({ data }) => data.n).join();
      const right = () =>
        tabs.every(
          ({ log, prices }) =>
            log.handle.state.name === "live" &&
            prices.handle.state.name === "live" &&
            log.told().at(-1) === count &&
            present(prices) === newest(PRICES),
        );
      for (let turn = 0; turn < 400 && !right(); turn++) {
        server.flush();
        for (const connection of server.open) server.send(connection, heads());
        await browser.clock.pass(200);
      }
      try {
        for (const { log, prices } of tabs) {
          assert.equal(log.handle.state.name, "live");
          assert.equal(present(prices), newest(PRICES));
          const numbers = log.told();
          const all = Array.from({ length: count }, (_, index) => index + 1);
          assert.deepEqual(numbers, all.slice(all.length - numbers.length), "every event once, in order");
          assert.ok(log.seen.resets.filter(({ events }) => events.length).length <= 1, "nobody starts twice");
        }
      } finally {
        for (const end of ends.reverse()) await end();
      }
    }),
    { numRuns: RUNS, endOnFailure: true },
  );
  context.diagnostic(`${RUNS} histories`);
});
