"""A TCP proxy that breaks connections in the ways that real networks do, on command."""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from collections.abc import Callable

CHUNK = 65_536  # bytes read at once
BUSY = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
RESET = struct.pack("ii", 1, 0)  # SO_LINGER of zero seconds: close() sends RST instead of FIN


class Pair:
    """One client's connection and the connection to the server behind the proxy that belongs to it."""

    def __init__(self, client: asyncio.StreamWriter, server: asyncio.StreamWriter) -> None:
        self.client = client
        self.server = server
        self.abandoned = False  # the server's side is gone and the client must not notice


class FaultProxy:
    """Stand between clients and ``127.0.0.1:target``; every method may be called from a synchronous test.

    ``latency`` (seconds) and ``slice`` (bytes, 0 = all at once) may be set at any time.
    """

    def __init__(self, target: int) -> None:
        self.target = target
        self.port = 0
        self.latency = 0.0
        self.slice = 0
        self.accepted = 0
        self.pairs: set[Pair] = set()
        self._busy = False
        self._open = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="fault-proxy", daemon=True)

    @property
    def url(self) -> str:
        """Return the proxy's address for an HTTP client, without a slash at its end."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Listen on a free loopback port."""
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(5)

    def stop(self) -> None:
        """Reset all connections and give the port back."""
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(5)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    def cut(self) -> None:
        """Reset all connections on both sides; new ones are welcome."""
        self._call(self._cut)

    def half_open(self) -> None:
        """Reset the server's sides only: the clients see neither bytes nor an end."""
        self._call(self._abandon)

    def black_hole(self) -> None:
        """Pass nothing on in either direction, and say nothing; new connections are accepted, and silent too."""
        self._call(self._open.clear)

    def busy(self, on: bool = True) -> None:
        """Answer new connections with ``503`` and ``Retry-After: 1``, as a deploying load balancer does."""
        self._busy = on

    def heal(self) -> None:
        """Let everything through again.

        What the black hole held arrives late, as TCP's repeats would; a server that is back resets the half-open
        connections, of which it knows nothing.
        """
        self._busy, self.latency, self.slice = False, 0.0, 0
        self._call(self._heal)

    def _call(self, action: Callable[[], object]) -> None:
        async def run() -> None:
            action()

        asyncio.run_coroutine_threadsafe(run(), self._loop).result(5)

    def _cut(self) -> None:
        for pair in self.pairs:
            reset(pair.server)
            reset(pair.client)

    def _abandon(self) -> None:
        for pair in self.pairs:
            pair.abandoned = True
            reset(pair.server)

    def _heal(self) -> None:
        self._open.set()
        for pair in self.pairs:
            if pair.abandoned:
                reset(pair.client)

    async def _listen(self) -> None:
        self._open.set()
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, backlog=2048)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _end(self) -> None:
        self._server.close()
        self._cut()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # asyncio would log a coroutine of its own that `_end` cancels.
        task = asyncio.create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        if self._busy:
            await reader.read(CHUNK)
            writer.write(BUSY)
            writer.close()
            return
        try:
            upstream_reader, upstream_writer = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            reset(writer)
            return
        pair = Pair(writer, upstream_writer)
        self.pairs.add(pair)
        upward = asyncio.create_task(self._pump(reader, upstream_writer, pair))
        try:
            await self._pump(upstream_reader, writer, pair)
            await upward
        finally:
            upward.cancel()
            self.pairs.discard(pair)
            reset(writer)
            reset(upstream_writer)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, pair: Pair) -> None:
        try:
            while data := await reader.read(CHUNK):
                step = self.slice or len(data)
                for start in range(0, len(data), step):
                    await asyncio.sleep(self.latency)
                    await self._open.wait()
                    if not pair.abandoned:
                        writer.write(data[start : start + step])
                        await writer.drain()
            await self._open.wait()
            if not pair.abandoned:
                writer.write_eof()
        except OSError:
            reset(writer)


def reset(writer: asyncio.StreamWriter) -> None:
    """Close a connection with RST, as a crashed peer or a firewall does."""
    connection = writer.get_extra_info("socket")
    if connection is not None and connection.fileno() != -1:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    writer.transport.abort()
