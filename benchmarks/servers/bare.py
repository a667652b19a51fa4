"""The limit: an asyncio protocol that writes an event to each of its sockets, and nothing else."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import uvloop

from .wire import FIRST, Order, content, event, own_event

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
ACCEPTED = b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"

streams: set[Any] = set()  # transports


class Protocol(asyncio.Protocol):
    """One connection; it takes the first read for the whole request, which on loopback it is."""

    __slots__ = ("transport",)

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        path = data.split(b" ", 2)[1]
        if path.startswith(b"/publish"):
            self.transport.write(ACCEPTED)
            self.transport.close()
            publish(Order.of(path.partition(b"?")[2]))
            return
        self.transport.write(HEAD + FIRST)
        streams.add(self.transport)

    def connection_lost(self, exc: Exception | None) -> None:
        streams.discard(self.transport)


def publish(order: Order) -> None:
    """Write an event to every stream, now and as often as is ordered."""
    if order.own:
        shared = content()
        for number, transport in enumerate(streams):
            transport.write(own_event(number, shared))
    else:
        data = event()
        for transport in streams:
            transport.write(data)
    if order.events > 1:
        asyncio.get_running_loop().call_later(order.gap, publish, order.next())


async def main(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Protocol, "127.0.0.1", port, backlog=2048)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1])))
