"""The chat's load: many WebSockets in this process, which count the messages and parse nothing in them.

A bare protocol on uvloop: it costs a few µs for each message, and what it costs is reported.
"""

from __future__ import annotations

import asyncio
import base64
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from .load import BenchmarkError

MARK = b"bench-t="
DIGITS = 19  # of CLOCK_MONOTONIC in nanoseconds, with leading zeros
WAIT = 30.0  # seconds; what has not come by then is lost
LONGEST = 64 * 1024  # bytes of an answer to the request
TEXT, PING, PONG = 0x81, 0x89, 0x8A  # the first byte of a frame that is whole
LONGER = {126: 2, 127: 8}  # bytes of the length, after these in its place


@dataclass(frozen=True)
class Language:
    """What a server wants to hear from its clients."""

    post: Callable[[str], str]  # the text that says something to the room
    opening: str = ""  # the text that comes first
    ping: bytes = b""  # a message that wants to be answered …
    pong: str = ""  # … with this text


class Socket(asyncio.Protocol):
    """One client."""

    def __init__(self, load: Sockets, path: str, cookie: str, language: Language) -> None:
        self.load = load
        self.path = path
        self.cookie = cookie
        self.language = language
        self.transport: asyncio.Transport
        self.open = asyncio.get_running_loop().create_future()
        self.rest = b""
        self.shaken = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]  # uvloop's is no subclass of asyncio's
        key = base64.b64encode(os.urandom(16)).decode()
        self.transport.write(
            f"GET {self.path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: carillon.v1\r\n"
            f"Cookie: {self.cookie}\r\n\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
        if not self.shaken:
            self._shake(data)
            return
        for kind, payload in self._frames(data):
            if kind == PING:
                self._send(PONG, payload)
            elif self.language.ping and payload == self.language.ping:
                self.say(self.language.pong)
            else:
                self._count(payload)

    def _frames(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """Yield the first byte and the payload of each frame that is whole (RFC 6455, 5.2); a server does not mask."""
        data, at = self.rest + data, 0
        while len(data) > at + 1:
            size, start = data[at + 1], at + 2
            if longer := LONGER.get(size):
                size, start = int.from_bytes(data[start : start + longer], "big"), start + longer
            if len(data) < start + size:
                break
            yield data[at], data[start : start + size]
            at = start + size
        self.rest = data[at:]

    def _count(self, payload: bytes) -> None:
        end = 0
        while (found := payload.find(MARK, end)) >= 0:
            end = found + len(MARK) + DIGITS
            self.load.count(int(payload[found + len(MARK) : end]))

    def _shake(self, data: bytes) -> None:
        self.rest += data
        head, found, after = self.rest.partition(b"\r\n\r\n")
        if not found or len(self.rest) > LONGEST:
            return
        if b" 101 " not in head.split(b"\r\n")[0]:
            self.open.set_exception(BenchmarkError(f"{self.path} answered {head[:60]!r}."))
            return
        self.shaken, self.rest = True, b""
        if self.language.opening:
            self.say(self.language.opening)
        self.open.set_result(None)
        self.data_received(after)

    def say(self, text: str) -> None:
        """Send a text message."""
        self._send(TEXT, text.encode())

    def _send(self, kind: int, data: bytes) -> None:
        """Send a frame; clients mask (RFC 6455, 5.3), here with zeros."""
        length = bytes([0x80 | len(data)]) if len(data) < 126 else b"\xfe" + len(data).to_bytes(2, "big")
        self.transport.write(bytes([kind]) + length + b"\0\0\0\0" + data)

    def connection_lost(self, error: Exception | None) -> None:
        if not self.open.done():
            self.open.set_exception(BenchmarkError(f"{self.path} closed before it was open."))


class Sockets:
    """All clients."""

    def __init__(self) -> None:
        self.sockets: list[Socket] = []
        self.latencies: list[int] = []  # nanoseconds
        self._expected = 0
        self._all = asyncio.Event()

    def count(self, sent: int) -> None:
        """Take note of one message."""
        self.latencies.append(time.monotonic_ns() - sent)
        if len(self.latencies) == self._expected:
            self._all.set()

    async def open(self, port: int, path: str, cookies: Sequence[str], language: Language) -> None:
        """Open one socket for each cookie, some at a time."""
        loop = asyncio.get_running_loop()
        for start in range(0, len(cookies), 20):
            found = [Socket(self, path, cookie, language) for cookie in cookies[start : start + 20]]
            for socket in found:
                await loop.create_connection(lambda made=socket: made, "127.0.0.1", port)  # type: ignore[misc]
            async with asyncio.timeout(60):
                await asyncio.gather(*(socket.open for socket in found))
            self.sockets += found

    async def talk(self, messages: int, gap: float) -> None:
        """Post from the first socket so many times, and wait until every socket has received it or `WAIT` is over."""
        self.latencies.clear()
        self._expected = messages * len(self.sockets)
        self._all.clear()
        for _ in range(messages):
            body = f"{MARK.decode()}{time.monotonic_ns():0{DIGITS}d} and some words that people say to each other"
            speaker = self.sockets[0]
            speaker.say(speaker.language.post(body))
            await asyncio.sleep(gap)
        with suppress(TimeoutError):
            async with asyncio.timeout(WAIT):
                await self._all.wait()

    def close(self) -> None:
        """Close all."""
        for socket in self.sockets:
            socket.transport.abort()
        self.sockets.clear()
