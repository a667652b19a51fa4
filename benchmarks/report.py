"""How the figures are shown, and what they are held against."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from . import fairness
from .trial import Result

PACKAGES = ["django", "channels", "uvicorn", "uvloop", "httptools", "daphne", "django-eventstream"]

MEMORY_KB = 12.0  # of a stream
EVENT_RATIO = 2.0  # times the bare protocol's CPU
CONNECT_MS = 2.5  # of CPU

COLUMNS = [
    "server",
    "CPU µs\nper event",
    "times\nbare",
    "CPU ms\nper send",
    "KB each,\none stream",
    "KB each,\nown streams",
    "threads\neach",
    "DB conn.\neach",
    "CPU ms\nper connect",
    "p50 ms",
    "p99 ms",
    "last of\nall, ms",
    "bytes\nper event",
    "generator\nCPU",
]

NOTES = [
    "CPU is the server's own, user and system; memory is its share of what is in memory, without the kernel's.",
    "“Per event”: delivered to one of all connections on one stream, publishing included. “Per send”: to a single one.",
    "“Own streams”: each connection is another user's. “Last of all”: one send to all of them, until the last has it.",
    "Carillon stores and orders each event before it shows it; the others store nothing.",
]


def machine() -> dict[str, Any]:
    """Describe where this runs."""
    cpuinfo = Path("/proc/cpuinfo").read_text()
    model = next((line.split(": ")[1] for line in cpuinfo.splitlines() if line.startswith("model name")), "unknown")
    return {
        "cpu": model,
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "packages": {name: version(name) for name in PACKAGES if _installed(name)},
        "load": os.getloadavg()[0],
    }


def _installed(name: str) -> bool:
    try:
        version(name)
    except PackageNotFoundError:
        return False
    return True


def show(report: dict[str, Any], results: Sequence[Result]) -> str:
    """Return everything as text."""
    where = report["machine"]
    packages = ", ".join(f"{name} {number}" for name, number in where["packages"].items())
    parts = [
        f"{where['cores']} × {where['cpu']}, {where['system']}, load {where['load']:.1f}",
        f"Python {where['python']}, {packages}",
        "",
    ]
    if results:
        how = f"{report['connections']:,} connections; medians of {report['rounds']}; loopback; SQLite (WAL)"
        parts += [how, "", _table(results), "", *NOTES]
    for row in report["storing"]:
        parts += ["", _storing(row)]
    if report["fairness"]:
        parts += ["", *fairness.show(report["fairness"])]
    parts += [line for row in report["publishing"] for line in ("", *_publishing(row))]
    parts += [line for row in report["feeds"] for line in ("", _many(row))]
    parts += ["", *_targets(results)]
    return "\n".join(parts)


def _table(results: Sequence[Result]) -> str:
    bare = next((result.event_us for result in results if result.server.key == "bare"), None)
    return "\n".join(table(COLUMNS, [_row(result, bare) for result in results]))


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return a table's lines; a column's heading may have two lines."""
    rows = [*([_heading(column)[line] for column in columns] for line in (0, 1)), *rows]
    widths = [max(len(row[number]) for row in rows) for number in range(len(columns))]
    lines = [
        "  ".join(
            [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        )
        for row in rows
    ]
    lines.insert(2, "─" * len(lines[0]))
    return [line.rstrip() for line in lines]


def _heading(column: str) -> list[str]:
    return column.split("\n") if "\n" in column else ["", column]


def _row(result: Result, bare: float | None) -> list[str]:
    own = result.server.authenticated
    return [
        result.server.name + (f" ({result.lost} lost)" if result.lost else ""),
        f"{result.event_us:.1f}",
        f"{result.event_us / bare:.2f}" if bare else "–",
        f"{result.publish_ms:.2f}",
        f"{result.shared_kb:.1f}",
        "–" if result.own_kb is None else f"{result.own_kb:.1f}",
        f"{result.threads:.2f}",
        f"{result.database:.2f}" if own else "–",
        f"{result.connect_ms:.2f}",
        f"{result.p50_ms:.1f}",
        f"{result.p99_ms:.1f}",
        "–" if result.last_ms is None else f"{result.last_ms:.0f}",
        f"{result.event_bytes:.0f}",
        f"{result.generator:.0%}",
    ]


def _storing(row: dict[str, Any]) -> str:
    return (
        f"notify() to {row['recipients']:,} users on {row['database']}: {row['notify']:,.0f} rows/s stored and ordered,"
        f" {row['queries']} queries; a bulk insert alone makes {row['insert']:,.0f} rows/s"
    )


def _publishing(row: dict[str, Any]) -> list[str]:
    return [f"publish() on {row['database']}, events a second:"] + [
        f"{rate:>10,.0f}  {title}" for title, rate in row["rates"].items()
    ]


def _many(row: dict[str, Any]) -> str:
    return (
        f"{row['feeds']} feeds on each of {row['connections']} connections: {row['bytes_per_feed']:,.0f} bytes a feed,"
        f" {row['connect_ms']:.1f} ms of CPU to connect"
    )


def _targets(results: Iterable[Result]) -> list[str]:
    """Compare the lane under uvicorn with the project's targets."""
    found = {result.server.key: result for result in results}
    lane, bare, plain = found.get("lane"), found.get("bare"), found.get("plain")
    if lane is None:
        return []
    memory = max(lane.shared_kb, lane.own_kb or 0.0)
    lines = [
        _target("Memory per stream", memory, MEMORY_KB, "KB"),
        _target("Threads per stream", lane.threads, 0.0, "", slack=0.005),
        _target("Database connections per stream", lane.database, 0.0, "", slack=0.005),
        _target("Authenticated connect", lane.connect_ms, CONNECT_MS, "ms of CPU"),
    ]
    if bare:
        lines.append(_target("CPU per event, times bare", lane.event_us / bare.event_us, EVENT_RATIO, "×"))
    if feeds := found.get("feeds"):
        lines.append(_target("CPU per event of a feed, times the inbox's", feeds.event_us / lane.event_us, 1.2, "×"))
    if plain:
        lines.append(
            f"        {plain.connect_ms / lane.connect_ms:.1f} × cheaper to connect than through Django's handler"
        )
    return ["Carillon's lane under uvicorn against its targets:", *lines]


def _target(name: str, value: float, limit: float, unit: str, slack: float = 0.0) -> str:
    """Return whether a target is met; `slack` is the share per stream of a few threads of the whole process."""
    verdict = "met   " if value <= limit + slack else "MISSED"
    return f"{verdict}  {name}: {value:.2f} {unit}".rstrip() + f" (at most {limit:g})"
