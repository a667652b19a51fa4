"""`manage.py carillon_serve` as a process of its own, with its workers."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

import httpx

from .asgi import ROOT, environment
from .process import STARTUP, ServerProcess, free_port, wait_until

SETTINGS = "tests.surroundings.settings"


class Serving(ServerProcess):
    """The supervisor; it is ready when all of its workers are."""

    def __init__(self, *words: str, folder: Path, database_url: str, env: Mapping[str, str] | None = None) -> None:
        port = free_port()
        log = folder / f"serve-{port}.log"
        address = [] if "--uds" in words else [f"--port={port}"]
        super().__init__(
            [sys.executable, "-m", "django", "carillon_serve", *address, *words],
            port=port,
            log=log,
            env={**environment(database_url, settings=SETTINGS), **(env or {})},
            cwd=ROOT,
            ready=lambda: "Carillon serves" in self.output(),
        )

    def workers(self) -> list[int]:
        """Return the ids of the worker processes, those that end among them."""
        return [int(pid) for pid in Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()]

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the supervisor."""
        os.kill(self.pid, number)

    def wait_for_other_workers(self, before: list[int]) -> None:
        """Return when as many workers as there were run, and none of those."""
        wait_until(
            lambda: len(now := self.workers()) == len(before) and not {*now} & {*before},
            f"The workers {before} were not replaced:\n{self.output()}",
        )

    def wait_until_live(self) -> None:
        """Return when a worker answers; until then connections wait for one."""
        assert httpx.get(f"{self.url}/livez", timeout=STARTUP).text == "ok\n"

    def end(self) -> int:
        """Return the exit status after SIGTERM."""
        assert self.process is not None
        self.stop()
        return self.process.wait()


def gone(pid: int) -> bool:
    """Return whether a process has ended, or waits only for its status to be read."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True
