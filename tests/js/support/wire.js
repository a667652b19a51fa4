/** A real server on a real port that speaks all three transports; each test scripts what it says. */

import { once } from "node:events";
import { createServer } from "node:http";
import { WebSocketServer } from "ws";

/** A list that can be waited on: `await calls.nth(3)` is the third entry, as soon as there is one. */
export class Calls extends Array {
  static [Symbol.species] = Array;

  #waiting = [];

  push(...entries) {
    const length = super.push(...entries);
    this.#waiting = this.#waiting.filter(({ count, resolve }) => length < count || resolve(this[count - 1]));
    return length;
  }

  nth(count) {
    return this.length >= count
      ? Promise.resolve(this[count - 1])
      : new Promise((resolve) => this.#waiting.push({ count, resolve }));
  }
}

/** One client that reached the server: `kind` is stream, poll or socket. */
class Peer {
  constructor(kind, { user, language }, since, parts) {
    Object.assign(this, { kind, user, language, since }, parts);
  }

  /** Send frames as this transport does. A poll can do so once. */
  send(...frames) {
    if (this.kind === "socket") for (const frame of frames) this.socket.send(JSON.stringify(frame));
    else if (this.kind === "poll") {
      this.response.setHeader("Content-Type", "application/json");
      this.response.end(JSON.stringify({ frames: frames.filter(({ type }) => type !== "hello") }));
    } else
      for (const frame of frames) {
        this.head();
        const at = frame.more ? undefined : (frame.to ?? (frame.type.endsWith("reset") ? frame.cursor : undefined));
        this.response.write(`event: ${frame.type}\n${at ? `id: ${at}\n` : ""}data: ${JSON.stringify(frame)}\n\n`);
      }
  }

  head() {
    if (!this.response.headersSent)
      this.response.writeHead(200, { "Content-Type": "text/event-stream; charset=utf-8" });
  }

  /** Write what it is. */
  raw(text) {
    if (this.kind === "socket") return this.socket.send(text);
    if (this.kind === "stream") this.head();
    else this.response.setHeader("Content-Type", "application/json");
    this.response[this.kind === "stream" ? "write" : "end"](text);
  }

  /** Refuse as this transport does. */
  refuse(status, code, headers = {}) {
    if (this.kind === "socket") {
      const retry = headers["Retry-After"] ? headers["Retry-After"] * 1_000 : null;
      this.socket.send(JSON.stringify({ type: "error", code, message: code, retry }));
      return this.socket.close();
    }
    this.response.writeHead(status, { "Content-Type": "application/json", ...headers });
    this.response.end(JSON.stringify({ code, message: code }));
  }

  cut() {
    (this.socket?._socket ?? this.response.socket).destroy();
  }

  /** Until the client is gone. */
  get gone() {
    return this.socket ? once(this.socket, "close") : once(this.response, "close");
  }
}

export async function wire(context) {
  const peers = new Calls();
  const requests = new Calls();
  const server = createServer(async (request, response) => {
    const url = new URL(request.url, "http://server");
    const page = { user: request.headers["carillon-user"], language: request.headers["carillon-language"] };
    const query = Object.fromEntries(url.searchParams);
    if (url.pathname === "/stream/")
      peers.push(new Peer("stream", page, request.headers["last-event-id"] ?? "", { response, query }));
    else if (url.pathname === "/changes/" && url.searchParams.has("wait")) {
      peers.push(new Peer("poll", page, url.searchParams.get("since"), { response, query, wait: query.wait }));
    } else {
      let body = "";
      for await (const chunk of request) body += chunk;
      const json = (value, status = 200) => {
        response.writeHead(status, { "Content-Type": "application/json" });
        response.end(JSON.stringify(value));
      };
      requests.push({
        method: request.method,
        path: url.pathname,
        query,
        headers: request.headers,
        body: body && JSON.parse(body),
        response,
        json,
      });
    }
  });
  const sockets = new WebSocketServer({
    server,
    path: "/ws/",
    handleProtocols: (protocols) => (protocols.has("carillon.v1") ? "carillon.v1" : false),
  });
  sockets.on("connection", (socket) => {
    socket.once("message", (data) => {
      const { type, since, ref, ...page } = JSON.parse(data);
      peers.push(new Peer("socket", page, since, { socket, command: { type, ref } }));
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${server.address().port}`;
  context.after(() => {
    for (const socket of sockets.clients) socket.terminate();
    server.closeAllConnections();
    server.close();
  });
  const urls = {
    stream: `${url}/stream/`,
    changes: `${url}/changes/`,
    socket: `${url}/ws/`,
    inbox: `${url}/api/inbox/`,
    item: `${url}/api/inbox/{id}/{action}/`,
    bulk: `${url}/api/inbox/bulk/`,
    readAll: `${url}/api/inbox/read-all/`,
    seen: `${url}/api/inbox/seen/`,
  };
  return { server, url, urls, peers, requests };
}
