"""How the figures are shown."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterable, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

PACKAGES = [
    "django",
    "channels",
    "uvicorn",
    "uvloop",
    "httptools",
    "daphne",
    "granian",
    "django-eventstream",
    "sse-starlette",
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
        "packages": {name: found for name in PACKAGES if (found := _version(name))},
        "load": os.getloadavg()[0],
    }


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def about(machine: dict[str, Any]) -> list[str]:
    """Return the lines that say where it was measured."""
    packages = ", ".join(f"{name} {number}" for name, number in machine["packages"].items())
    return [
        f"{machine['cores']} × {machine['cpu']}, {machine['system']}, load {machine['load']:.1f}",
        f"Python {machine['python']}, {packages}",
    ]


def measuring(what: str) -> None:
    """Tell whoever waits what is being measured."""
    print(f"  {what} …", file=sys.stderr, flush=True)


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
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


def times(value: float, other: float | None) -> str:
    """Return how many times another figure this one is."""
    return f"{value / other:.2f}" if other else "–"
