"""Measure a room full of sockets, compared with the shape of Channels' tutorial: ``python -m benchmarks.chat``."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import uvloop

from tests.servers import valkey

from . import databases, report
from .load import BenchmarkError
from .measure import cpu, sample
from .servers import Server, running
from .sockets import Sockets
from .trial import copy

APPLICATION = "benchmarks.site.chat:application"
CARILLON = "/notifications/ws/"
SETTLE = 6.0  # seconds of quiet before a sample, while presence is written

MEMORY_KB = 25.0  # of a socket
MESSAGE_US = 25.0  # of CPU


@dataclass(frozen=True)
class Shape:
    """A way to chat."""

    key: str
    name: str
    path: str
    runner: str = "uvicorn"
    redis: bool = False


SHAPES = [
    Shape("carillon", "Carillon, uvicorn", CARILLON),
    Shape("tutorial", "Channels' tutorial, in-memory layer, uvicorn", "/tutorial/"),
    Shape("tutorial-redis", "Channels' tutorial, RedisChannelLayer, uvicorn", "/tutorial/", redis=True),
    Shape("carillon-daphne", "Carillon, daphne", CARILLON, runner="daphne"),
]


@dataclass
class Result:
    """A shape's figures."""

    name: str
    message_us: float  # CPU of the server for one message delivered to one socket
    socket_kb: float  # memory of an open socket
    connect_ms: float  # CPU of the server to open a socket and the room
    p50_ms: float
    p99_ms: float
    generator: float  # the generator's CPU, as a part of the time
    lost: int  # messages that did not arrive


def main(arguments: list[str] | None = None) -> int:
    """Run the selected benchmarks, and print the results."""
    options = _options(arguments)
    count, messages, rounds = (20, 5, 1) if options.quick else (options.sockets, 50, options.rounds)
    with tempfile.TemporaryDirectory(prefix="carillon-bench-") as folder, ExitStack() as stack:
        database = Path(folder).resolve() / "site.sqlite3"
        rows = json.loads(databases.run("benchmarks.site.prepare", [count], {"BENCH_DATABASE": str(database)}))
        room = int(databases.run("benchmarks.site.room", [], {"BENCH_DATABASE": str(database)}))
        address = stack.enter_context(valkey.running()).url
        results = []
        for shape in SHAPES:
            if options.only and shape.key not in options.only:
                continue
            print(f"measuring {shape.name} …", file=sys.stderr, flush=True)
            environment = {"BENCH_DATABASE": str(copy(database))}
            if shape.redis:
                environment["BENCH_REDIS"] = address
            cookies = [row["cookie"] for row in rows]
            measuring = _measure(shape, environment, cookies, room, messages, rounds)
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                results.append(runner.run(measuring))
    _show(results, count)
    if options.json:
        found = {"machine": report.machine(), "sockets": count, "chat": [asdict(result) for result in results]}
        options.json.write_text(json.dumps(found, indent=2) + "\n")
    return 0


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chat", description=__doc__)
    keys = [shape.key for shape in SHAPES]
    parser.add_argument("--quick", action="store_true", help="few sockets and messages: proves that it runs")
    parser.add_argument("--only", nargs="+", choices=keys, metavar="SHAPE", help=f"only these: {', '.join(keys)}")
    parser.add_argument("--sockets", type=int, default=500, help="sockets in the room (500)")
    parser.add_argument("--rounds", type=int, default=3, help="bursts, of which the median counts (3)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures to FILE")
    return parser.parse_args(arguments)


async def _measure(
    shape: Shape, environment: databases.Environment, cookies: Sequence[str], room: int, messages: int, rounds: int
) -> Result:
    opening = json.dumps({"type": "room.open", "ref": 0, "room": room, "limit": 0}) if shape.path == CARILLON else ""
    server = Server(shape.key, shape.name, shape.runner, APPLICATION, publisher="none")
    with running(server, environment) as now:
        load = Sockets()
        # Measured on the second half: what a process grows by in its first storm is no socket's.
        half = len(cookies) // 2
        await load.open(now.port, shape.path, cookies[:half], opening)
        await asyncio.sleep(SETTLE)
        before = sample(now.pid)
        await load.open(now.port, shape.path, cookies[half:], opening)
        await asyncio.sleep(SETTLE)
        after = sample(now.pid)
        costs, latencies, busy, lost = [], [], [], 0
        for _ in range(rounds):
            begun, own, start_talk = time.monotonic(), time.process_time(), cpu(now.pid)
            await load.talk(room, messages, 0.15)
            costs.append((cpu(now.pid) - start_talk) / len(load.latencies) * 1e6)
            busy.append((time.process_time() - own) / (time.monotonic() - begun))
            latencies += load.latencies
            lost += messages * len(cookies) - len(load.latencies)
        load.close()
    return Result(
        shape.name,
        message_us=median(costs),
        socket_kb=(after.memory - before.memory) / (len(cookies) - half) / 1024,
        connect_ms=(after.cpu - before.cpu) / (len(cookies) - half) * 1e3,
        p50_ms=median(latencies) / 1e6,
        p99_ms=quantiles(latencies, n=100)[98] / 1e6,
        generator=median(busy),
        lost=lost,
    )


def _show(results: Sequence[Result], count: int) -> None:
    machine: dict[str, Any] = report.machine()
    print(f"\n{count} sockets in one room · {machine['cores']} cores · Python {machine['python']}\n")
    print(
        f"{'':50} {'µs/message':>10} {'KB/socket':>10} {'ms/connect':>10} {'p50 ms':>8} {'p99 ms':>8} {'generator':>9}"
    )
    for one in results:
        print(
            f"{one.name:50} {one.message_us:10.1f} {one.socket_kb:10.1f} {one.connect_ms:10.2f}"
            f" {one.p50_ms:8.1f} {one.p99_ms:8.1f} {one.generator:9.0%} {one.lost:6}"
        )
    ours = results[0]
    print(f"\nWanted of Carillon on uvicorn: at most {MESSAGE_US:.0f} µs and {MEMORY_KB:.0f} KB:", end=" ")
    print("kept." if ours.message_us <= MESSAGE_US and ours.socket_kb <= MEMORY_KB else "MISSED.")


if __name__ == "__main__":
    try:
        sys.exit(main())
    except BenchmarkError as error:
        sys.exit(f"benchmarks: {error}")
