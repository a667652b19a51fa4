"""What a process costs, read from ``/proc``."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Sample:
    """A process at one moment."""

    cpu: float  # seconds of user and system time, of all threads that it ever had
    memory: int  # bytes: the proportional set size, the process's fair share of what is in memory
    threads: int
    database: int  # open connections to the database: descriptors of the SQLite file


def sample(pid: int, database: Path | None = None) -> Sample:
    """Measure the process `pid`; `database` is the SQLite file whose descriptors are counted."""
    process = Path("/proc") / str(pid)
    return Sample(cpu(pid), _memory(process), len(list((process / "task").iterdir())), _descriptors(process, database))


def cpu(pid: int) -> float:
    """Return the CPU time of `pid` in seconds, from the clock that Linux keeps for each process: exact to the µs."""
    return time.clock_gettime((~pid << 3) | 2)


def _memory(process: Path) -> int:
    for line in (process / "smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    raise ValueError(f"{process}/smaps_rollup has no Pss line")


def _descriptors(process: Path, database: Path | None) -> int:
    if database is None:
        return 0
    count = 0
    for descriptor in (process / "fd").iterdir():
        try:
            count += descriptor.readlink() == database
        except FileNotFoundError:  # closed while we looked
            continue
    return count
