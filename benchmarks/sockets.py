"""The chat's load: many WebSockets in this process, which count the frames and parse nothing.

A bare protocol on uvloop: it costs a few µs for each message, and what it costs is reported.
"""

from __future__ import annotations

import asyncio
import base64
import os
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from .load import BenchmarkError

MARK = b"bench-t="
DIGITS = 19  # of CLOCK_MONOTONIC in nanoseconds, with leading zeros
WAIT = 30.0  # seconds; what has not come by then is lost
LONGEST = 64 * 1024  # bytes kept while a message is not whole


@dataclass(frozen=True)
class Language:
    """What a server wants to hear from its clients."""

    post: Callable[[str], str]  # the text that says something to the room
    opening: str = ""  # the text that comes first
    ping: bytes = b""  # a frame that wants to be answered …
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
        if self.language.ping and self.language.ping in data:
            self.say(self.language.pong)
        data = self.rest + data
        end = 0
        while (found := data.find(MARK, end)) >= 0 and len(data) >= found + len(MARK) + DIGITS:
            end = found + len(MARK) + DIGITS
            self.load.count(int(data[found + len(MARK) : end]))
        self.rest = data[max(end, len(data) - len(MARK) - DIGITS) :]

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
        """Send a text message; clients mask (RFC 6455, 5.3), here with zeros."""
        data = text.encode()
        length = bytes([0x80 | len(data)]) if len(data) < 126 else b"\xfe" + len(data).to_bytes(2, "big")
        self.transport.write(b"\x81" + length + b"\0\0\0\0" + data)

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
