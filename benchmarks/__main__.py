"""Measure open streams on this machine: ``python -m benchmarks``, or ``make bench``."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from . import databases, fairness, growth, many, report
from .load import BenchmarkError, program
from .servers import NODE, SERVERS, Server
from .trial import QUICK, Result, Size, measure

STORING = "storing"  # its name for --only
FAIRNESS = "fairness"
PUBLISHING = "feeds-publishing"
MANY = "feeds-many"
GROWTH = "growth"
PUBLISHED = 20_000  # events
QUICK_PUBLISHED = 1_000
MANY_CONNECTIONS = 200
RECIPIENTS = 10_000
QUICK_RECIPIENTS = 500
ASKED = 200  # times by one user beside another
QUICK_ASKED = 20


def main(arguments: list[str] | None = None) -> int:
    """Run the selected benchmarks, and print the results."""
    options = _options(arguments)
    size = QUICK if options.quick else Size(connections=options.connections, rounds=options.rounds)
    wanted = [server for server in SERVERS if not options.only or server.key in options.only]
    storing = not options.only or STORING in options.only
    beside = not options.only or FAIRNESS in options.only
    publishing = not options.only or PUBLISHING in options.only
    following = not options.only or MANY in options.only
    growing = bool(options.only) and GROWTH in options.only  # an hour, so only if it is asked for
    try:
        program()
        _check_packages(wanted)
        results = _streams(wanted, size)
        stored = _storing(QUICK_RECIPIENTS if options.quick else RECIPIENTS, size.rounds) if storing else []
        fair = _fairness(QUICK_ASKED if options.quick else ASKED) if beside else []
        published = _publishing(QUICK_PUBLISHED if options.quick else PUBLISHED) if publishing else []
        feeds = _many(size) if following else []
        grown = growth.measure(growth.QUICK_ROWS if options.quick else growth.ROWS) if growing else []
    except BenchmarkError as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 1
    found = {
        "machine": report.machine(),
        "connections": size.connections,
        "rounds": size.rounds,
        "streams": [asdict(result) for result in results],
        "storing": stored,
        "fairness": fair,
        "publishing": published,
        "feeds": feeds,
        "growth": grown,
    }
    print(report.show(found, results))
    if options.json:
        options.json.write_text(json.dumps(found, indent=2) + "\n")
    return 0


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    keys = [*(server.key for server in SERVERS), STORING, FAIRNESS, PUBLISHING, MANY, GROWTH]
    parser.add_argument("--quick", action="store_true", help="few connections and events: proves that it runs")
    parser.add_argument("--only", nargs="+", choices=keys, metavar="PART", help=f"only these: {', '.join(keys)}")
    parser.add_argument("--connections", type=int, default=1_000, help="open streams (1000)")
    parser.add_argument("--rounds", type=int, default=3, help="repetitions, of which the median counts (3)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures to FILE")
    return parser.parse_args(arguments)


def _check_packages(wanted: list[Server]) -> None:
    missing = any(server.publisher == "eventstream" for server in wanted) and not find_spec("django_eventstream")
    if any(server.runner == "node" for server in wanted) and not (NODE / "node_modules").exists():
        raise BenchmarkError("better-sse is missing: run `make bench`, or npm install in benchmarks/node.")
    if missing or not (find_spec("uvloop") and find_spec("httptools")):
        raise BenchmarkError("A server is missing: run `make bench`, or pip install -r benchmarks/requirements.txt.")


def _streams(wanted: list[Server], size: Size) -> list[Result]:
    with databases.sqlite() as environment:
        database = Path(environment["BENCH_DATABASE"])
        rows = json.loads(databases.run("benchmarks.site.prepare", [size.connections], environment))
        results = []
        for server in wanted:
            print(f"measuring {server.name} …", file=sys.stderr, flush=True)
            results.append(measure(server, rows, database, size))
        return results


def _storing(recipients: int, rounds: int) -> list[dict[str, Any]]:
    """Measure storing on SQLite and on PostgreSQL."""
    found = []
    for name, opened in databases.each():
        print(f"measuring storing on {name} …", file=sys.stderr, flush=True)
        with opened as environment:
            found.append(json.loads(databases.run("benchmarks.storing", [recipients, rounds], environment)))
    return found


def _publishing(events: int) -> list[dict[str, Any]]:
    """Measure publishing in feeds on SQLite and on PostgreSQL."""
    found = []
    for name, opened in databases.each():
        print(f"measuring publishing on {name} …", file=sys.stderr, flush=True)
        with opened as environment:
            found.append(json.loads(databases.run("benchmarks.publishing", [events], environment)))
    return found


def _many(size: Size) -> list[dict[str, Any]]:
    """Measure what one feed of many on one connection costs."""
    print("measuring many feeds on one connection …", file=sys.stderr, flush=True)
    with databases.sqlite() as environment:
        database = Path(environment["BENCH_DATABASE"])
        rows = json.loads(
            databases.run("benchmarks.site.prepare", [min(MANY_CONNECTIONS, size.connections)], environment)
        )
        lane = next(server for server in SERVERS if server.key == "feeds")
        return [many.measure(lane, rows, database, size.settle)]


def _fairness(asked: int) -> list[dict[str, Any]]:
    """Measure what one user costs another."""
    print("measuring one user beside another …", file=sys.stderr, flush=True)
    with databases.sqlite() as environment:
        database = Path(environment["BENCH_DATABASE"])
        rows = json.loads(databases.run("benchmarks.site.prepare", [2], environment))
        room = int(databases.run("benchmarks.site.room", [], environment))
        return fairness.measure(rows, room, database, asked)


if __name__ == "__main__":
    sys.exit(main())
