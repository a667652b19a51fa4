"""What is asked for on the command line, for all parts alike."""

from __future__ import annotations

import argparse
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from .brokers import BROKERS
from .databases import NAMES, USUAL
from .servers import SERVERS


@dataclass(frozen=True)
class Options:
    """How much is measured, and of what."""

    quick: bool = False  # so little that it only proves that it runs
    connections: int = 1_000
    rounds: int = 3  # of which the median counts
    servers: tuple[str, ...] = tuple(server.key for server in SERVERS)
    streams: tuple[str, ...] = ("own", "shared")
    processes: tuple[int, ...] = (1, 2)
    brokers: tuple[str, ...] = ("core",)
    databases: tuple[str, ...] = USUAL
    rows: tuple[int, ...] = (10_000, 100_000, 1_000_000)  # of growth's tables


@dataclass(frozen=True)
class Command:
    """A command line."""

    parts: list[str]
    options: Options
    json: Path | None
    svg: Path | None


def read(parts: list[str], long: Collection[str], description: str, arguments: list[str] | None) -> Command:
    """Read the command line; `parts` are those that may be asked for, and `long` those of them that must be."""
    default = Options()
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=description)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"only these: {', '.join(parts)}")
    parser.add_argument("--quick", action="store_true", help="few connections and events: proves that it runs")
    parser.add_argument("--connections", type=int, default=default.connections, help="open streams (1000)")
    parser.add_argument(
        "--rounds", type=int, default=default.rounds, help="repetitions, of which the median counts (3)"
    )
    parser.add_argument("--servers", nargs="+", choices=default.servers, default=default.servers, metavar="SERVER",
                        help=f"of streams, storm, memory and slow: {', '.join(default.servers)}")  # fmt: skip
    parser.add_argument("--streams", nargs="+", choices=default.streams, default=default.streams)
    parser.add_argument("--processes", nargs="+", type=int, default=default.processes, help="of one site (1 2)")
    parser.add_argument("--brokers", nargs="+", choices=list(BROKERS), default=default.brokers)
    parser.add_argument("--databases", nargs="+", choices=list(NAMES), default=default.databases)
    parser.add_argument("--rows", nargs="+", type=int, default=default.rows, metavar="N",
                        help="of the tables of growth (10000 100000 1000000)")  # fmt: skip
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures to FILE")
    parser.add_argument("--svg", type=Path, metavar="FILE", help="draw the figures of the streams and of the fan-out")
    found = parser.parse_args(arguments)
    if unknown := set(found.parts) - set(parts):
        parser.error(f"there is no part {', '.join(sorted(unknown))}; the parts are {', '.join(parts)}")
    options = Options(
        found.quick,
        found.connections,
        found.rounds,
        tuple(found.servers),
        tuple(found.streams),
        tuple(found.processes),
        tuple(found.brokers),
        tuple(found.databases),
        tuple(found.rows),
    )
    return Command(found.parts or [part for part in parts if part not in long], options, found.json, found.svg)
