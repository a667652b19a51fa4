"""Chat: a room full of sockets, beside the shapes that the tutorials of Channels and of socket.io teach."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from statistics import median, quantiles
from typing import Any

import uvloop

from .. import brokers, databases, report
from ..measure import cpu, sample
from ..options import Options
from ..servers import Server, check, running
from ..sockets import Language, Sockets

APPLICATION = "benchmarks.site.chat:application"
CARILLON = "/notifications/ws/"
TUTORIAL = "/tutorial/"
SOCKETIO = "/socket.io/?EIO=4&transport=websocket"
SOCKETS = 500
SETTLE = 6.0  # seconds of quiet before a sample, while presence is written

MEMORY_KB = 25.0  # of a socket
MESSAGE_US = 25.0  # of CPU


def tutorial(room: int) -> Language:
    """Return the commands that the consumer of Channels' tutorial understands: Carillon's own."""

    def post(body: str) -> str:
        return json.dumps({"type": "message.send", "ref": 1, "room": room, "id": str(uuid.uuid4()), "body": body})

    return Language(post)


def carillon(room: int) -> Language:
    """Return the same, after the room was opened."""
    return replace(tutorial(room), opening=json.dumps({"type": "room.open", "ref": 0, "room": room, "limit": 0}))


def socketio(_room: int) -> Language:
    """Return the packets of engine.io 4 and socket.io 5: 40 connects, 42 is an event, and 3 answers the server's 2."""
    return Language(lambda body: "42" + json.dumps(["chat message", body]), opening="40", ping=b"2", pong="3")


@dataclass(frozen=True)
class Shape:
    """A way to chat."""

    key: str
    name: str
    path: str
    language: Callable[[int], Language]  # of the room
    runner: str = "uvicorn"
    broker: str = "none"
    target: str = APPLICATION

    @property
    def server(self) -> Server:
        """Return the server that is started."""
        return Server(self.key, self.name, self.runner, self.target)


PUBSUB = "Channels' tutorial, RedisPubSubChannelLayer, uvicorn"
SHAPES = [
    Shape("carillon", "Carillon, uvicorn", CARILLON, carillon),
    Shape("tutorial", "Channels' tutorial, in-memory layer, uvicorn", TUTORIAL, tutorial),
    Shape("tutorial-redis", "Channels' tutorial, RedisChannelLayer, uvicorn", TUTORIAL, tutorial, broker="core"),
    Shape("tutorial-pubsub", PUBSUB, TUTORIAL, tutorial, broker="pubsub"),
    Shape("socketio", "socket.io, Node's own server", SOCKETIO, socketio, runner="node", target="chat.js"),
    Shape("carillon-daphne", "Carillon, daphne", CARILLON, carillon, runner="daphne"),
]


@dataclass
class Result:
    """A shape's figures."""

    name: str
    sockets: int
    message_us: float  # CPU of the server for one message delivered to one socket
    socket_kb: float  # memory of an open socket
    connect_ms: float  # CPU of the server to open a socket and the room
    p50_ms: float
    p99_ms: float
    generator: float  # the generator's CPU, as a part of the time
    lost: int  # messages that did not arrive


def measure(options: Options) -> list[dict[str, Any]]:
    """Put each shape through the same."""
    check(shape.server for shape in SHAPES)
    count, messages, rounds = (20, 5, 1) if options.quick else (SOCKETS, 50, options.rounds)
    settle = 0.5 if options.quick else SETTLE
    found = []
    for shape in SHAPES:
        report.measuring(shape.name)
        with databases.sqlite() as environment, brokers.opened(shape.broker) as broker:
            rows = json.loads(databases.run("benchmarks.site.prepare", [count], environment))
            room = int(databases.run("benchmarks.site.room", [], environment))
            cookies = [row["cookie"] for row in rows]
            language = shape.language(room)
            measuring = _measure(shape, environment | broker, cookies, language, messages, rounds, settle)
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                found.append(asdict(runner.run(measuring)))
    return found


async def _measure(
    shape: Shape,
    environment: databases.Environment,
    cookies: Sequence[str],
    language: Language,
    messages: int,
    rounds: int,
    settle: float,
) -> Result:
    with running(shape.server, environment) as now:
        load = Sockets()
        # Measured on the second half: what a process grows by in its first storm is no socket's.
        half = len(cookies) // 2
        await load.open(now.port, shape.path, cookies[:half], language)
        await asyncio.sleep(settle)
        before = sample(now.pid)
        await load.open(now.port, shape.path, cookies[half:], language)
        await asyncio.sleep(settle)
        after = sample(now.pid)
        costs, latencies, busy, lost = [], [], [], 0
        for _ in range(rounds):
            begun, own, start_talk = time.monotonic(), time.process_time(), cpu(now.pid)
            await load.talk(messages, 0.15)
            costs.append((cpu(now.pid) - start_talk) / len(load.latencies) * 1e6)
            busy.append((time.process_time() - own) / (time.monotonic() - begun))
            latencies += load.latencies
            lost += messages * len(cookies) - len(load.latencies)
        load.close()
    return Result(
        shape.name,
        len(cookies),
        message_us=median(costs),
        socket_kb=(after.memory - before.memory) / (len(cookies) - half) / 1024,
        connect_ms=(after.cpu - before.cpu) / (len(cookies) - half) * 1e3,
        p50_ms=median(latencies) / 1e6,
        p99_ms=quantiles(latencies, n=100)[98] / 1e6,
        generator=median(busy),
        lost=lost,
    )


COLUMNS = [
    "one room",
    "CPU µs per\nmessage",
    "KB per\nsocket",
    "CPU ms\nper connect",
    "p50 ms",
    "p99 ms",
    "generator\nCPU",
]


def show(found: Sequence[dict[str, Any]]) -> list[str]:
    """Return the figures as lines."""
    results = [Result(**figures) for figures in found]
    ours = results[0]
    kept = "kept" if ours.message_us <= MESSAGE_US and ours.socket_kb <= MEMORY_KB else "MISSED"
    return [
        *report.table(COLUMNS, map(_row, results)),
        f"Wanted of Carillon on uvicorn: at most {MESSAGE_US:.0f} µs and {MEMORY_KB:.0f} KB: {kept}",
    ]


def _row(one: Result) -> list[str]:
    return [
        f"{one.name}, {one.sockets} sockets" + (f" ({one.lost} lost)" if one.lost else ""),
        f"{one.message_us:.1f}",
        f"{one.socket_kb:.1f}",
        f"{one.connect_ms:.2f}",
        f"{one.p50_ms:.1f}",
        f"{one.p99_ms:.1f}",
        f"{one.generator:.0%}",
    ]
