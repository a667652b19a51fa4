/**
 * A small chat server that speaks `carillon.v1`: rooms in memory, no network of its own. `serve` puts it behind a real
 * HTTP server and real sockets; a test may also give it wires of its own, which lose, repeat and delay.
 */

import { createServer } from "node:http";
import { WebSocketServer } from "ws";

const PAGE = 50;
const GAP = 200; // changes; beyond it a resume is a reset

class Nack extends Error {
  constructor(code, retry = null) {
    super(`Refused: ${code}.`);
    Object.assign(this, { code, retry });
  }
}

export class ChatServer {
  users = new Map();
  rooms = new Map();
  connections = new Set();
  checkpoints = [];
  epoch = "5f0c2a91";
  /** Called with each command before it runs; may throw what `refuse` returns. */
  before = () => {};

  constructor(now = Date.now) {
    this.now = now;
  }

  static refuse = (code, retry) => new Nack(code, retry);

  addUser(id, name) {
    this.users.set(id, { id, name });
    return this;
  }

  /** By which others mention them: only these have one. */
  handles = new Map([
    ["Alice", "alice"],
    ["Bob", "bob"],
  ]);

  addRoom(id, { kind = "group", name = "", members }) {
    const roles = new Map(members.map((user) => [user, { role: "member", last_read: 0, muted: false }]));
    this.rooms.set(id, { id, kind, name, members: roles, messages: [], changed: [], modseq: 0 });
    return this;
  }

  cursor = (room, at = room.modseq) => `room-${room.id}=${this.epoch}.${at}`;

  /** @param {number} user @param {(text: string) => void} send @param {(code: number) => void} [close] */
  connect(user, send, close = () => {}) {
    const connection = {
      user,
      open: new Set(),
      close,
      say: (...frames) => frames.length && send(frames.map((frame) => JSON.stringify(frame)).join("\n")),
    };
    const before = this.online(user);
    this.connections.add(connection);
    connection.say({
      type: "hello",
      v: 1,
      connection: `${user}`,
      cursor: null,
      unread: 0,
      unseen: 0,
      heartbeat: 25,
      time: this.iso(),
      user: this.users.get(user),
    });
    if (!before) this.presence(user);
    return {
      receive: (text) => this.connections.has(connection) && this.receive(connection, text),
      end: () => {
        this.connections.delete(connection);
        if (!this.online(user)) this.presence(user);
      },
      checkpoint: (token) => connection.say({ type: "checkpoint", token }),
      heartbeat: () =>
        connection.say({
          type: "heartbeat",
          head: [...connection.open].map((id) => this.cursor(this.rooms.get(id))).join(),
        }),
    };
  }

  iso = () => new Date(this.now()).toISOString();
  online = (user) => [...this.connections].some((connection) => connection.user === user);

  presence(user) {
    for (const room of this.rooms.values()) if (room.members.has(user)) this.tell(room, this.present(room));
  }

  present(room) {
    const online = [...room.members.keys()].filter(this.online);
    return { type: "presence", room: room.id, online, count: online.length };
  }

  tell(room, frame) {
    for (const connection of this.connections) if (connection.open.has(room.id)) connection.say(frame);
  }

  info(room) {
    const members = [...room.members].map(([id, { role, last_read }]) => ({
      ...this.users.get(id),
      handle: this.handles.get(this.users.get(id).name) ?? null,
      role,
      last_read,
    }));
    const { online, count } = this.present(room);
    return {
      id: room.id,
      kind: room.kind,
      name: room.name,
      last_number: room.messages.length,
      member_count: members.length,
      members,
      online,
      online_count: count,
    };
  }

  me(room, user) {
    const { role, last_read, muted } = room.members.get(user);
    return { role, last_read, muted, unread: room.messages.length - last_read };
  }

  receive(connection, text) {
    const { ref, ...command } = JSON.parse(text);
    try {
      this.before(command, connection.user);
      const run = this[`do ${command.type}`];
      if (!run) throw new Nack("unknown-type");
      const room = command.room === undefined ? undefined : this.rooms.get(command.room);
      if (command.room !== undefined && !room?.members.has(connection.user)) throw new Nack("not-found");
      const { then, ...answer } = run.call(this, connection, command, room) ?? {};
      connection.say({ type: "ack", ref, ...(room && { room: room.id }), ...answer });
      then?.();
    } catch (error) {
      if (!(error instanceof Nack)) throw error;
      connection.say({ type: "nack", ref, code: error.code, message: error.message, retry: error.retry });
    }
  }

  "do room.open"(connection, { since, limit = PAGE }, room) {
    connection.open.add(room.id);
    const then = () => connection.say(...this.since(room, since, limit));
    return { info: this.info(room), me: this.me(room, connection.user), then };
  }

  "do room.close"(connection, _, room) {
    connection.open.delete(room.id);
  }

  since(room, since, limit) {
    const match = /=(\w+)\.(\d+)$/.exec(since ?? "");
    const [epoch, at] = [match?.[1], Number(match?.[2])];
    const changed = room.messages.filter(({ version }) => version > at).sort((a, b) => a.version - b.version);
    if (epoch === this.epoch && at <= room.modseq && changed.length <= GAP) {
      return changed.length
        ? [{ type: "message", room: room.id, from: since, to: this.cursor(room), messages: changed }]
        : [];
    }
    const { messages, before } = this.page(room, { limit });
    const reason = !match ? "start" : epoch === this.epoch ? "too-many" : "epoch";
    return [
      {
        type: "reset",
        room: room.id,
        reason,
        cursor: this.cursor(room),
        messages,
        before,
        limited: reason === "too-many",
      },
    ];
  }

  page(room, { before, after, limit = PAGE }) {
    const all = room.messages;
    const end = before ? before - 1 : after ? Math.min(all.length, after + limit) : all.length;
    const start = after ? after : Math.max(0, end - limit);
    return {
      messages: all.slice(start, end),
      before: start > 0 ? start + 1 : null,
      after: end < all.length ? end : null,
    };
  }

  "do history"(_, command, room) {
    return { ...this.page(room, command), cursor: this.cursor(room) };
  }

  change(room, number, change) {
    const from = this.cursor(room);
    const old = room.messages[number - 1];
    if (number && !old) throw new Nack("not-found");
    const message = { ...old, ...change, version: ++room.modseq };
    room.messages[message.number - 1] = message;
    const alone = Object.keys(change).join() === "reactions";
    const { version, reactions } = message;
    const told = alone ? { messages: [], reactions: [{ number, version, reactions }] } : { messages: [message] };
    this.tell(room, { type: "message", room: room.id, from, to: this.cursor(room), ...told });
    return message;
  }

  post(room, author, body, { id = null, reply_to = null, at = this.iso() } = {}) {
    const known = id && room.messages.find((message) => message.client_id === id && message.author?.id === author);
    const message =
      known ||
      this.change(room, 0, {
        number: room.messages.length + 1,
        kind: "text",
        client_id: id,
        author: this.users.get(author),
        subject: null,
        body,
        reply_to,
        created_at: at,
        edited_at: null,
        deleted: null,
        reactions: [],
      });
    if (!known) room.members.get(author).last_read = message.number;
    return message;
  }

  "do message.send"({ user }, { id, body, reply_to }, room) {
    const { number, version, created_at } = this.post(room, user, body, { id, reply_to });
    return { number, version, created_at };
  }

  "do message.edit"({ user }, { number, body }, room) {
    if (room.messages[number - 1]?.author?.id !== user) throw new Nack("forbidden");
    this.change(room, number, { body, edited_at: this.iso() });
    return { number };
  }

  "do message.delete"({ user }, { number }, room) {
    if (room.messages[number - 1]?.author?.id !== user) throw new Nack("forbidden");
    this.change(room, number, { body: "", reactions: [], deleted: "author" });
    return { number };
  }

  "do reaction.toggle"({ user }, { number, emoji }, room) {
    const reactions = (room.messages[number - 1]?.reactions ?? []).map((one) => ({ ...one }));
    const found = reactions.find((one) => one.emoji === emoji) ?? { emoji, users: [] };
    const on = !found.users.includes(user);
    if (on && !found.users.length) reactions.push(found);
    found.users = on ? [...found.users, user] : found.users.filter((other) => other !== user);
    found.count = found.users.length;
    this.change(room, number, { reactions: reactions.filter(({ count }) => count) });
    return { number, on };
  }

  "do checkpoint"({ user }, { token }) {
    this.checkpoints.push([user, token]);
  }

  "do typing"({ user }, { on = true }, room) {
    this.tell(room, { type: "typing", room: room.id, user: this.users.get(user), expires: on ? 6 : 0 });
  }

  "do receipt"({ user }, { up_to }, room) {
    const member = room.members.get(user);
    member.last_read = Math.max(member.last_read, Math.min(up_to, room.messages.length));
    this.tell(room, { type: "receipt", room: room.id, read: [{ user, up_to: member.last_read }] });
    return { up_to: member.last_read, unread: room.messages.length - member.last_read };
  }

  "do room.mute"({ user }, { on }, room) {
    room.members.get(user).muted = on;
    return { on };
  }

  "do ping"() {}

  list(user) {
    const mine = [...this.rooms.values()].filter(({ members }) => members.has(user));
    const active = (room) => room.messages.at(-1)?.created_at ?? "";
    const rooms = mine
      .sort((a, b) => (active(a) < active(b) ? 1 : -1))
      .map((room) => ({
        info: this.info(room),
        me: this.me(room, user),
        last: room.messages.at(-1) ?? null,
        cursor: this.cursor(room),
      }));
    return { rooms, next: null };
  }
}

/**
 * Put a chat server behind real sockets on a loopback port; `?user=<id>` says who asks.
 *
 * @param {ChatServer} server
 * @param {{port?: number, handle?: (request: any, response: any) => void}} [options] what answers everything else
 */
export async function serve(server, { port = 0, handle = (_, response) => response.writeHead(404).end() } = {}) {
  const user = ({ url }) => Number(new URL(url, "http://localhost").searchParams.get("user"));
  const http = createServer((request, response) => {
    if (!request.url.startsWith("/rooms/")) return handle(request, response);
    response.writeHead(200, { "Content-Type": "application/json" }).end(JSON.stringify(server.list(user(request))));
  });
  const sockets = new WebSocketServer({
    server: http,
    path: "/ws/",
    handleProtocols: (offered) => (offered.has("carillon.v1") ? "carillon.v1" : false),
  });
  sockets.on("connection", (socket, request) => {
    const connection = server.connect(
      user(request),
      (text) => socket.send(text),
      (code) => socket.close(code),
    );
    socket.on("message", (data) => connection.receive(String(data)));
    socket.on("close", connection.end);
  });
  await new Promise((resolve) => http.listen(port, "127.0.0.1", resolve));
  const cut = () => {
    for (const socket of sockets.clients) socket.terminate();
  };
  const base = `127.0.0.1:${http.address().port}`;
  return {
    urls: (id) => ({ socket: `ws://${base}/ws/?user=${id}`, rooms: `http://${base}/rooms/?user=${id}&` }),
    cut,
    close: () => {
      cut();
      return new Promise((resolve) => http.close(resolve));
    },
  };
}
