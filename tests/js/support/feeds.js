/** A model of the server's feeds, and a server on a real port that speaks it: streams, polls, and the control request. */

import { createFeeds } from "../../../notifications/static/notifications/src/feeds/client.js";
import { wire } from "./wire.js";

const NEWEST = 50;
const UNPUBLISHED = "00000000.0";

export class FeedModel {
  #streams = new Map();
  #ids = 0;

  stream(name) {
    const known = this.#streams.get(name);
    if (known) return known;
    const id = `feed-${(this.#streams.size + 1).toString(16).padStart(16, "0")}`;
    const made = { name, id, epoch: "0000000a", head: 0, events: [], keyed: false, live: false, denied: false };
    this.#streams.set(name, made);
    return made;
  }

  /** Declare a feed that is not a log. */
  declare(name, rules) {
    return Object.assign(this.stream(name), rules);
  }

  cursor(name, at = this.stream(name).head) {
    const { id, epoch } = this.stream(name);
    return `${id}=${epoch}.${at}`;
  }

  /** Where a reader is in a feed in which nothing was published yet. */
  unpublished(name) {
    return `${this.stream(name).id}=${UNPUBLISHED}`;
  }

  publish(name, data, { key = "", event = "message" } = {}) {
    const stream = this.stream(name);
    const made = { id: ++this.#ids, version: ++stream.head, event, key, data, at: "2026-11-21T08:00:00Z" };
    if (stream.keyed) stream.events = stream.events.filter((other) => other.key !== key);
    stream.events.push(made);
    return made;
  }

  /** Let a text grow, as `answer` does; a reader that is at the position before gets the piece alone. */
  grow(name, id, append, state = "writing") {
    const stream = this.stream(name);
    const known = stream.events.find((event) => event.id === id);
    const offset = [...known.data.text].length;
    known.version = ++stream.head;
    known.data = { ...known.data, text: known.data.text + append, state };
    stream.events = [...stream.events.filter((event) => event !== known), known];
    return this.frame(name, stream.head - 1, stream.head, [{ ...known, data: { append, offset, state } }]);
  }

  /** The database was restored. */
  renew(name) {
    const stream = this.stream(name);
    stream.epoch = "0000000b";
    stream.events.forEach((event, index) => {
      event.version = index + 1;
    });
    stream.head = stream.events.length;
  }

  frame(name, from, to, events, more = false) {
    const [start, end] = [from, to].map((at) => this.cursor(name, at));
    return { type: "feed", feed: name, from: start, to: end, events: structuredClone(events), more };
  }

  reset(name, reason = "start") {
    const events = structuredClone(this.stream(name).events.slice(-NEWEST));
    return { type: "feed.reset", feed: name, reason, cursor: this.cursor(name), events, more: false };
  }

  /** The frames for a reader at this cursor. */
  since(name, cursor) {
    const { id, epoch, head, events } = this.stream(name);
    const part = (cursor ?? "").split(",").find((part) => part.startsWith(`${id}=`));
    const [, theirs, at] = /=(\w+)\.(\d+)$/.exec(part ?? "") ?? [];
    const empty = {
      type: "feed.reset",
      feed: name,
      reason: "start",
      cursor: this.unpublished(name),
      events: [],
      more: false,
    };
    if (!part) return [head ? this.reset(name) : empty];
    if (`${theirs}.${at}` === UNPUBLISHED) {
      return head ? [{ ...empty, cursor: this.cursor(name, 0) }, this.frame(name, 0, head, events)] : [];
    }
    if (theirs !== epoch) return head ? [this.reset(name, "epoch")] : [];
    const missed = events.filter(({ version }) => version > at);
    return +at < head ? [this.frame(name, +at, head, missed)] : [];
  }
}

export async function feedServer(context, { reaches = () => true } = {}) {
  const server = await wire(context);
  const model = new FeedModel();
  const open = new Set();
  let count = 0;

  const status = (feed, state = "live", message = "") => ({ type: "feed.status", feed, state, message });
  const send = (connection, ...frames) => {
    for (const frame of frames) {
      connection.peer.send(frame);
      const cursor = frame.to ?? frame.cursor;
      if (frame.feed && cursor) connection.at.set(frame.feed, cursor);
    }
  };
  const attach = (connection, name, cursor) => {
    connection.at.set(name, cursor);
    send(connection, status(name), ...model.since(name, cursor));
  };
  const greet = async (number) => {
    const peer = await server.peers.nth(number);
    const asked = (peer.query?.feeds ?? "").split(",").filter(Boolean);
    const refused = asked.filter((name) => model.stream(name).denied);
    const allowed = asked.filter((name) => !refused.includes(name));
    if (peer.kind === "poll") {
      const told = [
        ...refused.map((name) => status(name, "denied")),
        ...allowed.flatMap((name) => model.since(name, peer.since)),
      ];
      const poll = { peer, asked: allowed };
      if (told.length || peer.wait === "0")
        peer.send(...told, { type: "heartbeat", head: allowed.map((name) => model.cursor(name)).join() });
      else open.add(poll);
      peer.gone.then(() => open.delete(poll));
    } else {
      const connection = { peer, name: `c${++count}`, at: new Map() };
      open.add(connection);
      peer.gone.then(() => open.delete(connection));
      peer.send({
        type: "hello",
        v: 1,
        connection: connection.name,
        cursor: null,
        heartbeat: 25,
        unread: 0,
        unseen: 0,
      });
      for (const name of refused) send(connection, status(name, "denied"));
      for (const name of allowed) attach(connection, name, peer.since);
    }
    greet(number + 1);
  };
  greet(1);
  const answer = async (number) => {
    const { path, query, body, json } = await server.requests.nth(number);
    if (path === "/changes/") {
      const names = (query.feeds ?? "").split(",").filter((name) => name && !model.stream(name).denied);
      const head = names.map((name) => model.cursor(name)).join();
      json({ frames: [...names.flatMap((name) => model.since(name, query.since)), { type: "heartbeat", head }] });
    } else if (path === "/api/feeds/") {
      const feeds = {};
      const connection = [...open].find(({ name }) => name === body.connection);
      for (const [name, cursor] of Object.entries(body.follow)) {
        const { denied } = model.stream(name);
        feeds[name] = { state: denied ? "denied" : "live", message: "" };
        if (!denied && connection && reaches()) attach(connection, name, cursor);
      }
      for (const name of body.unfollow) connection?.at.delete(name);
      json({ feeds });
    } else json({});
    answer(number + 1);
  };
  answer(1);

  /** Tell those who are connected. */
  const flush = () => {
    for (const connection of [...open]) {
      if (connection.asked) {
        const told = connection.asked.flatMap((name) => model.since(name, connection.peer.since));
        if (!told.length) continue;
        open.delete(connection); // one answer is all that a poll has
        connection.peer.send(...told);
      } else for (const [name, cursor] of connection.at) send(connection, ...model.since(name, cursor));
    }
  };
  const publish = (...publication) => {
    const event = model.publish(...publication);
    flush();
    return event;
  };
  const urls = { ...server.urls, feeds: `${server.url}/api/feeds/`, stop: `${server.url}/api/feeds/stop/`, client: "" };
  return { ...server, urls, model, publish, flush, send, open, status };
}

/** Follow feeds in a tab, and write down what comes. */
export function follower(tab, urls, more = {}) {
  const { config } = tab.client;
  const feeds = createFeeds({ ...config, urls, ...more }, tab.client);
  const follow = (name, handlers = {}) => {
    const seen = { events: [], resets: [], states: [], moves: [] };
    let check = () => {};
    const note = (list) => (one, reason) => {
      list.push(reason === undefined ? one : { events: one, reason });
      check();
    };
    const handle = feeds.follow(name, {
      onEvent: note(seen.events),
      onReset: note(seen.resets),
      onState: note(seen.states),
      onMove: note(seen.moves),
      ...handlers,
    });
    const until = (ready) =>
      new Promise((resolve) => {
        check = () => ready(seen) && resolve(seen);
        check();
      });
    /** The data of all that was told, oldest first. */
    const told = () => [...(seen.resets.at(-1)?.events ?? []), ...seen.events].map(({ data }) => data.n);
    return { handle, seen, until, told, state: (name) => until(() => handle.state.name === name) };
  };
  return { feeds, follow };
}
