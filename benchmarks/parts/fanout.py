"""Fan-out: what one ``notify()`` to all connected users costs the servers that they are connected to.

A producer outside the servers publishes, as a worker of a WSGI site or of a queue does. Beside it, in the same run,
stand servers without Django that write an own event to each of their streams.
"""

from __future__ import annotations

import bisect
import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from .. import brokers, databases, report
from ..load import BenchmarkError, Load
from ..measure import cpu
from ..options import Options
from ..producer import Producer
from ..servers import BY_KEY, Running, Server, check, running

LIMITS = ("bare", "raw")
PEERS = ("eventstream",)  # over the same broker
OURS = "lane"


@dataclass(frozen=True)
class Size:
    """How much is done."""

    connections: int = 1_000
    sends: int = 5  # of one burst
    gap: float = 1.0  # seconds between them, so that each is delivered by itself
    rounds: int = 3  # bursts; the median counts
    idle: float = 3.0  # seconds of peace, of which the CPU is taken off


QUICK = Size(connections=40, sends=2, gap=0.2, rounds=1, idle=0.3)


@dataclass(frozen=True)
class Case:
    """One way to be connected and told."""

    server: Server
    own: bool  # whether each connection has a stream of its own, or all share one
    processes: int = 1
    broker: str = "none"
    database: str = "sqlite"

    @property
    def name(self) -> str:
        """Return what people read."""
        if not self.server.authenticated:
            return self.server.name
        processes = "1 process" if self.processes == 1 else f"{self.processes} processes"
        if self.server.key != OURS:
            return f"{self.server.name}, {processes}, Redis"
        return f"{self.server.name}, {processes}, {brokers.BROKERS[self.broker]}, {databases.NAMES[self.database]}"


@dataclass
class Result:
    """A case's figures."""

    name: str
    server: str
    streams: str  # "own" or "shared"
    processes: int
    broker: str
    database: str
    event_us: float  # CPU of the servers for one event delivered to one connection
    p50_ms: float  # from the commit until half of the connections have it
    last_ms: float  # … and the last of them
    producer_ms: float  # CPU of the producer for one send
    call_ms: float  # how long the producer's call took
    idle_ms: float  # CPU of the servers in a second without events
    event_bytes: float  # on the wire
    lost: int


def measure(options: Options) -> list[dict[str, Any]]:
    """Measure the limits, and Carillon in every combination of what is asked for."""
    size = QUICK if options.quick else Size(connections=options.connections, rounds=options.rounds)
    peers = [key for key in PEERS if key in options.servers]
    check(BY_KEY[key] for key in (*LIMITS, *peers, OURS))
    found = []
    for streams in options.streams:
        for case in _cases(streams == "own", peers, options):
            report.measuring(f"{case.name}, {streams}")
            found.append(asdict(_measure(case, size)))
    return found


def _cases(own: bool, peers: Sequence[str], options: Options) -> Iterator[Case]:
    yield from (Case(BY_KEY[key], own) for key in LIMITS)
    yield from (Case(BY_KEY[key], own, broker="core") for key in peers)
    for database in options.databases:
        for broker in options.brokers:
            yield from (Case(BY_KEY[OURS], own, count, broker, database) for count in options.processes)


def _measure(case: Case, size: Size) -> Result:
    """Connect everybody, and publish."""
    with ExitStack() as stack:
        environment = stack.enter_context(databases.opened(case.database))
        environment = environment | stack.enter_context(brokers.opened(case.broker))
        rows = json.loads(databases.run("benchmarks.site.prepare", [size.connections], environment))
        servers = [stack.enter_context(running(case.server, environment)) for _ in range(case.processes)]
        publish = _publisher(case, servers[0], stack, environment)
        clients = [
            servers[number % len(servers)].client(rows[number if case.own else 0]) for number in range(size.connections)
        ]
        load = stack.enter_context(Load(clients))
        if load.opened["failed"]:
            raise BenchmarkError(f"{case.name} opened {load.opened['opened']} of {len(clients)} streams.")
        time.sleep(size.idle / 3)
        _burst(load, servers, publish, 1, size.gap, 0.0)  # warms up
        idle = _idle(servers, size.idle)
        bursts = [_burst(load, servers, publish, size.sends, size.gap, idle) for _ in range(size.rounds)]
    figures = {key: median(burst[key] for burst in bursts) for key in bursts[0] if key != "lost"}
    return Result(
        case.name,
        case.server.key,
        "own" if case.own else "shared",
        case.processes,
        case.broker,
        case.database,
        idle_ms=idle * 1e3,
        lost=round(sum(burst["lost"] for burst in bursts)),
        **figures,
    )


Publish = Callable[[int, float], dict[str, Any]]


def _publisher(case: Case, server: Running, stack: ExitStack, environment: databases.Environment) -> Publish:
    """Return what publishes so many events, one each so many seconds, and says when it committed them."""
    to = "all" if case.own else "one"
    if case.server.authenticated:
        producer = stack.enter_context(Producer(case.server.publisher, environment))
        return lambda events, gap: producer.publish(to, events, gap)

    def ask(events: int, gap: float) -> dict[str, Any]:
        server.publish(to, events, gap)
        return {"committed": [], "took_ms": [0.0], "cpu_ms": 0.0}

    return ask


def _idle(servers: Sequence[Running], seconds: float) -> float:
    """Return the CPU that the servers use in a second of peace."""
    before = _cpu(servers)
    time.sleep(seconds)
    return (_cpu(servers) - before) / seconds


def _burst(
    load: Load, servers: Sequence[Running], publish: Publish, sends: int, gap: float, idle: float
) -> dict[str, float]:
    load.expect(sends)
    before, begun = _cpu(servers), time.monotonic()
    told = publish(sends, gap)
    found = load.delivered()
    if not found["events"]:
        raise BenchmarkError("Nothing arrived; the servers are too slow, or the machine is too busy.")
    used = _cpu(servers) - before - idle * (time.monotonic() - begun)
    delivered = max(1, found["delivered"])
    waits = [(event["sent"] - _commit(event["sent"], told["committed"])) / 1e6 for event in found["events"]]
    return {
        "event_us": used / delivered * 1e6,
        "p50_ms": median(wait + event["p50_ms"] for wait, event in zip(waits, found["events"], strict=True)),
        "last_ms": median(wait + event["last_ms"] for wait, event in zip(waits, found["events"], strict=True)),
        "producer_ms": told["cpu_ms"],
        "call_ms": median(told["took_ms"]),
        "event_bytes": found["bytes"] / delivered,
        "lost": found["expected"] - found["delivered"],
    }


def _cpu(servers: Sequence[Running]) -> float:
    return sum(cpu(server.pid) for server in servers)


def _commit(sent: int, committed: Sequence[int]) -> int:
    """Return the first commit after `sent`; what is not stored is committed when it is sent."""
    return committed[bisect.bisect(committed, sent)] if committed else sent


COLUMNS = ["CPU µs\nper event", "times\nraw", "p50 ms", "last ms", "producer\nCPU ms", "call ms", "idle\nms/s", "bytes"]


def show(found: Sequence[dict[str, Any]]) -> list[str]:
    """Return the figures as lines."""
    results = [Result(**figures) for figures in found]
    lines: list[str] = []
    for streams in ("own", "shared"):
        rows = [result for result in results if result.streams == streams]
        raw = next((result.event_us for result in rows if result.server == "raw"), None)
        if rows:
            title = "One event to each connection's own stream" if streams == "own" else "One event to a shared stream"
            lines += [
                *([""] if lines else []),
                *report.table([title, *COLUMNS], [_row(result, raw) for result in rows]),
            ]
    return lines


def _row(result: Result, raw: float | None) -> list[str]:
    stores = result.producer_ms > 0
    return [
        result.name + (f" ({result.lost} lost)" if result.lost else ""),
        f"{result.event_us:.1f}",
        report.times(result.event_us, raw),
        f"{result.p50_ms:.1f}",
        f"{result.last_ms:.1f}",
        f"{result.producer_ms:.1f}" if stores else "–",
        f"{result.call_ms:.1f}" if stores else "–",
        f"{result.idle_ms:.1f}",
        f"{result.event_bytes:.0f}",
    ]
