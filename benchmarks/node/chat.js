/** socket.io's own tutorial, a room of all who are connected: `node chat.js PORT`. Nothing is stored, nobody is authenticated. */
import { createServer } from "node:http";
import { Server } from "socket.io";

const server = createServer();
const io = new Server(server);

io.on("connection", (socket) => {
  socket.on("chat message", (message) => io.emit("chat message", message));
});

server.listen({ port: Number(process.argv[2]), host: "127.0.0.1", backlog: 2048 });
