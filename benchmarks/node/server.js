/** Node's own HTTP server with better-sse: `node server.js PORT`. Nothing is stored, nobody is authenticated. */
import { createServer } from "node:http";
import { createChannel, createSession } from "better-sse";

const channel = createChannel();
const BODY = "x".repeat(420); // an event is then as long as those of the other servers

async function publish(events, gap) {
  let due = performance.now();
  for (let n = 0; n < events; n++) {
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, due - performance.now())));
    channel.broadcast({ title: `bench-t=${process.hrtime.bigint()}`, body: BODY }, "feed");
    due += gap * 1_000;
  }
}

createServer(async (request, response) => {
  const url = new URL(request.url, "http://127.0.0.1");
  if (url.pathname.startsWith("/publish/")) {
    publish(Number(url.searchParams.get("events")), Number(url.searchParams.get("gap")));
    response.writeHead(204).end();
    return;
  }
  const session = await createSession(request, response);
  channel.register(session);
  session.push({}, "hello"); // the generator waits for a first event
}).listen({ port: Number(process.argv[2]), host: "127.0.0.1", backlog: 2048 });
