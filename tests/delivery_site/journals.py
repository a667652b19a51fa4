"""What writers say of what they did, and how a fault is told with all that happened around it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from tests.servers.asgi import ROOT

from .readers import Reader

NAME = re.compile(r"[\w-]+/(?:[\w-]+/)?\d+|\b(?<=item )\d+ |(?<=\[)\d+ (?=at )")  # of what was written, or its key
TURN = re.compile(r": (?:connects|feed.status|feed.reset|reset|bye|room|FAULT|\d{3} for)")  # where a reader begins anew
BEFORE, AFTER = 4.0, 1.5  # seconds around a fault
LINES = 80  # of one history, at most
WIDTH = 300  # characters of a line


class Deed(NamedTuple):
    """What a writer did: when, by which verb, and with which details."""

    at: float
    what: str
    details: list[Any]


class WriterProcess:
    """One writer, and what it says."""

    def __init__(self, seed: str, log: Path, rooms: dict[int, list[str]], **environment: str) -> None:
        import os

        self.seed = seed
        self.log = log
        with log.open("wb") as output, log.with_suffix(".errors").open("wb") as errors:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.delivery_site.writers", seed],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=errors,
                cwd=ROOT,
                env={**os.environ, "ROOMS": json.dumps(rooms), **environment},
            )

    def end(self) -> None:
        assert self.process.stdin is not None
        if self.process.poll() is None:
            self.process.stdin.close()
            self.process.wait(60)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def has_begun(self) -> bool:
        return next(self.deeds(), None) is not None

    def deeds(self) -> Iterator[Deed]:
        for line in self.log.read_text().splitlines(keepends=True):
            if line.endswith("\n"):  # who was killed may not have ended it
                at, what, *details = json.loads(line)
                yield Deed(at, what, details)

    def transactions(self) -> Iterator[tuple[str, float, list[Deed]]]:
        """Yield how each transaction ended, when, and what was done in it; the end is empty if nobody knows it."""
        deeds: list[Deed] = []
        for deed in self.deeds():
            if deed.what in ("done", "rolled back", "failed"):
                yield deed.what, deed.at, deeds
                deeds = []
            elif deed.what == "begin":
                deeds = []
            else:
                deeds.append(deed)
        if deeds:
            yield "", deeds[-1].at, deeds

    def errors(self) -> str:
        return self.log.with_suffix(".errors").read_text()


def around(reader: Reader | None, at: float, fault: str, writers: Iterable[WriterProcess], acts: Any) -> list[str]:
    """Return what a reader was told, and what writers and the nemesis did, around a fault and about what it names."""
    names = set(NAME.findall(fault))
    deeds = [
        (deed.at, f"writer {writer.seed}: {deed.what} {json.dumps(deed.details)}")
        for writer in writers
        for deed in writer.deeds()
    ]
    told = [(when, f"{reader.name}: {text}") for when, text in reader.history] if reader else []
    done = [(when, f"nemesis: {text}") for when, text in acts]
    # What is missing was written long before that is found.
    first = min((when for when, text in [*deeds, *done] if names.intersection(NAME.findall(text))), default=at)
    lines = sorted([*deeds, *told, *done])
    moments = {at, first}
    near = [line for line in lines if any(moment - BEFORE <= line[0] <= moment + AFTER for moment in moments)]
    named = [line for line in lines if names.intersection(NAME.findall(line[1]))]
    turns = [line for line in told if TURN.search(line[1])]
    shown = sorted({*_closest(near, moments), *named[-LINES:], *turns[-LINES:]})
    return [f"{when - at:+8.3f} {text[:WIDTH]}" for when, text in shown]


def _closest(lines: list[tuple[float, str]], moments: set[float]) -> list[tuple[float, str]]:
    return sorted(lines, key=lambda line: min(abs(line[0] - moment) for moment in moments))[:LINES]
