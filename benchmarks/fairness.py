"""Measure one user's latency, alone and beside an attacker: ``python -m benchmarks --only fairness``."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sqlite3
import time
import urllib.request
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from typing import Any
from uuid import uuid4

from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from .servers import Running, Server, running

SERVER = Server("fairness", "Carillon, uvicorn", "uvicorn", "benchmarks.site.chat:application", publisher="none")
PATH = "/notifications/ws/"
STREAM = "/notifications/stream/"
SOCKETS = 50  # of the attacker
ANONYMOUS = 64  # connects at a time
PAUSE = 0.02  # seconds between two questions of the victim
HELD = 5.0  # seconds for which the attacker holds the database's write lock
TITLES = {
    "commands": "A read of the chat, beside 50 sockets of one user asking for the history",
    "writes": "A message, beside the same",
    "lock": "A read of the chat, beside a write lock that is held for 5 s and one who waits for it",
    "connects": "Opening a stream, beside 64 anonymous clients that open one after the other",
}


@dataclass(frozen=True)
class Row:
    """What the victim waited, in milliseconds: alone, and beside the attacker."""

    key: str
    asked: int
    alone_ms: float
    alone_p99_ms: float
    beside_ms: float
    beside_p99_ms: float


Ask = Callable[[], Any]


def measure(rows: Sequence[dict[str, Any]], room: int, database: Path, asked: int) -> list[dict[str, Any]]:
    """Ask `asked` times in peace and as often beside each attack; the first user attacks, the second one is hurt.

    Args:
        rows: The users, with their cookies.
        room: A room that both are in.
        database: The SQLite file of the server.
        asked: How many times the victim asks.
    """
    with running(SERVER, {"BENCH_DATABASE": str(database)}) as server:
        return [vars(row) for row in asyncio.run(_measure(server, rows, room, asked))]


async def _measure(server: Running, rows: Sequence[dict[str, Any]], room: int, asked: int) -> list[Row]:
    attacker, victim = rows[0]["cookie"], rows[1]["cookie"]
    found = []
    async with _socket(server, victim) as socket:

        async def read() -> None:
            await _ask(socket, {"type": "history", "room": room, "limit": 20})

        async def write() -> None:
            await _ask(socket, {"type": "message.send", "room": room, "id": str(uuid4()), "body": "hello"})

        async def open_stream() -> None:
            await asyncio.to_thread(_open_stream, server, victim)

        for key, ask, attack in (
            ("commands", read, _flood(server, attacker, room)),
            ("writes", write, _flood(server, attacker, room)),
            ("lock", read, _lock(server, attacker, room)),
            ("connects", open_stream, _anonymous(server)),
        ):
            await ask()
            alone = await _times(ask, asked)
            async with attack:
                beside = await _times(ask, asked)
            found.append(Row(key, asked, median(alone), _p99(alone), median(beside), _p99(beside)))
    return found


async def _times(ask: Ask, asked: int) -> list[float]:
    """Ask so many times; return how long each took, in milliseconds."""
    taken = []
    for _ in range(asked):
        begun = time.perf_counter()
        await ask()
        taken.append((time.perf_counter() - begun) * 1e3)
        await asyncio.sleep(PAUSE)
    return taken


def _p99(taken: Sequence[float]) -> float:
    return quantiles(taken, n=100, method="inclusive")[98]


def _socket(server: Running, cookie: str) -> connect:
    return connect(
        f"ws://127.0.0.1:{server.port}{PATH}",
        subprotocols=[Subprotocol("carillon.v1")],
        additional_headers={"Cookie": cookie, "Origin": f"http://127.0.0.1:{server.port}"},
        max_size=None,
    )


async def _ask(socket: ClientConnection, command: dict[str, Any]) -> None:
    """Give a command until it is carried out, and answer checkpoints on the way."""
    while True:
        await socket.send(json.dumps({**command, "ref": 1}))
        while (answer := await _answer(socket)) is None:
            pass
        if answer["type"] == "ack":
            return
        await asyncio.sleep((answer["retry"] or 0) / 1e3)


async def _answer(socket: ClientConnection) -> dict[str, Any] | None:
    answer = None
    for line in str(await socket.recv()).split("\n"):
        frame: dict[str, Any] = json.loads(line)
        if frame["type"] == "checkpoint":
            await socket.send(json.dumps({"type": "checkpoint", "ref": 0, "token": frame["token"]}))
        if frame.get("ref") == 1:
            answer = frame
    return answer


@asynccontextmanager
async def _until_the_end(*tasks: Any) -> AsyncIterator[None]:
    running_tasks = [asyncio.create_task(task) for task in tasks]
    try:
        await asyncio.sleep(0.5)  # let it reach its height
        yield
    finally:
        for task in running_tasks:
            task.cancel()
        with contextlib.suppress(Exception):
            await asyncio.gather(*running_tasks, return_exceptions=True)


def _flood(server: Running, cookie: str, room: int) -> AbstractAsyncContextManager[None]:
    """Ask for the history on many sockets, as fast as the answers come, whatever they are."""

    async def attack() -> None:
        question = json.dumps({"type": "history", "ref": 1, "room": room, "limit": 100})
        while True:
            with contextlib.suppress(Exception):
                async with _socket(server, cookie) as socket:
                    while True:
                        await socket.send(question)
                        await _answer(socket)

    return _until_the_end(*(attack() for _ in range(SOCKETS)))


def _lock(server: Running, cookie: str, room: int) -> AbstractAsyncContextManager[None]:
    """Hold the database's write lock again and again, and send messages that wait for it."""

    async def send() -> None:
        async with _socket(server, cookie) as socket:
            while True:
                await _ask(socket, {"type": "message.send", "room": room, "id": str(uuid4()), "body": "waits"})

    async def attack() -> None:
        while True:
            connection = sqlite3.connect(server.database, isolation_level=None, timeout=20, check_same_thread=False)
            try:
                await asyncio.to_thread(connection.execute, "BEGIN IMMEDIATE")
                await asyncio.sleep(HELD)
                connection.execute("ROLLBACK")
            finally:
                connection.close()

    return _until_the_end(attack(), send())


def _anonymous(server: Running) -> AbstractAsyncContextManager[None]:
    """Open streams without a session, so many at a time."""
    request = (
        f"GET {STREAM} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\nConnection: close\r\n\r\n".encode()
    )

    async def attack() -> None:
        while True:
            with contextlib.suppress(OSError):
                reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
                writer.write(request)
                await reader.read()
                writer.close()

    return _until_the_end(*(attack() for _ in range(ANONYMOUS)))


def _open_stream(server: Running, cookie: str) -> None:
    headers = {"Cookie": cookie, "Accept": "text/event-stream"}
    request = urllib.request.Request(f"http://127.0.0.1:{server.port}{STREAM}", headers=headers)
    with urllib.request.urlopen(request, timeout=60) as answer:
        answer.readline()


def show(rows: Sequence[dict[str, Any]]) -> list[str]:
    """Return the figures as lines."""
    heading = "One user beside another: milliseconds until the answer, median and 99th percentile"
    return [heading, *map(_line, rows)]


def _line(row: dict[str, Any]) -> str:
    return (
        f"{TITLES[row['key']]:86} alone {row['alone_ms']:7.1f} {row['alone_p99_ms']:7.1f}"
        f"   beside {row['beside_ms']:7.1f} {row['beside_p99_ms']:7.1f}"
    )
