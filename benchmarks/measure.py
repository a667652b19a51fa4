"""What processes cost, read from ``/proc``."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Sample:
    """A server at one moment, with the processes that it has started."""

    cpu: float  # seconds of user and system time, of all threads that it ever had
    memory: int  # bytes: the proportional set size, the process's fair share of what is in memory
    threads: int
    database: int  # open connections to the database: descriptors of the SQLite file


def sample(pid: int, database: Path | None = None) -> Sample:
    """Measure the process `pid`; `database` is the SQLite file whose descriptors are counted."""
    found = [Path("/proc") / str(one) for one in _family(pid)]
    return Sample(
        cpu(pid),
        sum(_memory(process) for process in found),
        sum(len(list((process / "task").iterdir())) for process in found),
        sum(_descriptors(process, database) for process in found),
    )


def cpu(pid: int) -> float:
    """Return the CPU time in seconds, from the clock that Linux keeps for each process: exact to the µs."""
    return sum(time.clock_gettime((~one << 3) | 2) for one in _family(pid))


def _family(pid: int) -> list[int]:
    """Return a process and all that it has started, and so on: some servers serve from a process of their own."""
    children: list[int] = []
    for task in (Path("/proc") / str(pid) / "task").iterdir():
        with suppress(FileNotFoundError):  # a thread that has ended while we looked
            children += map(int, (task / "children").read_text().split())
    return [pid, *(one for child in children for one in _family(child))]


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


def loop_cpu(pid: int) -> float:
    """Return the CPU time of the main thread, which runs the event loop, in seconds."""
    return int((Path("/proc") / str(pid) / "schedstat").read_text().split()[0]) / 1e9
