"""A handle on the process that publishes from outside the servers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from .load import BenchmarkError
from .servers import ROOT, SETTINGS


class Producer:
    """A context manager: the process lives as long as the block."""

    def __init__(self, publisher: str, environment: Mapping[str, str]) -> None:
        """Start it, with the database and the broker that `environment` names; `publisher` is one of the site's."""
        self.publisher = publisher
        everything = {**os.environ, "DJANGO_SETTINGS_MODULE": SETTINGS, **environment}
        command = [sys.executable, "-m", "benchmarks.site.produce"]
        self._process = subprocess.Popen(
            command, cwd=ROOT, env=everything, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def publish(self, to: str, events: int, gap: float) -> dict[str, Any]:
        """Have it publish, and return its report when it has done so.

        Args:
            to: ``"one"`` for the first user's stream, ``"all"`` for every user's.
            events: How many.
            gap: Seconds between them.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        order = {"publisher": self.publisher, "to": to, "events": events, "gap": gap}
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise BenchmarkError("The producer stopped early; its own words are above.")
        report: dict[str, Any] = json.loads(line)
        return report

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._process.kill()  # what it has not told by now would be told to nobody
        self._process.communicate()
