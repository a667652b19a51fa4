"""The load generator: ``load.c``, compiled on first use, and a handle on its process."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

SOURCE = Path(__file__).with_name("load.c")
CACHE = Path(__file__).parent / "build"
WAIT = 120  # seconds after which the generator gives up on connections and events
IN_FLIGHT = 64  # connections being opened at once: a reconnect storm that no server's backlog refuses


class BenchmarkError(Exception):
    """The benchmark cannot continue; the message says what to do."""


def program() -> Path:
    """Return the compiled generator, compiling it when its source changed.

    Raises:
        BenchmarkError: There is no C compiler, or it failed.
    """
    made = CACHE / f"load-{hashlib.sha256(SOURCE.read_bytes()).hexdigest()[:12]}"
    if made.exists():
        return made
    compiler = shutil.which(os.environ.get("CC", "cc"))
    if compiler is None:
        raise BenchmarkError("The load generator is written in C: install a compiler (`apt install gcc`) or set CC.")
    CACHE.mkdir(exist_ok=True)
    part = made.with_suffix(f".{os.getpid()}")
    done = subprocess.run([compiler, "-O2", "-o", part, SOURCE], check=False, capture_output=True, text=True)
    if done.returncode:
        raise BenchmarkError(f"{compiler} could not compile {SOURCE.name}:\n{done.stderr}")
    part.replace(made)
    return made


@dataclass(frozen=True)
class Client:
    """One connection to open."""

    port: int  # of the server, on this machine
    path: str
    cookie: str = ""
    headers: tuple[str, ...] = ("Accept: text/event-stream",)  # beside Host and Cookie

    @property
    def line(self) -> str:
        """Return the line of the generator's file."""
        cookies = (f"Cookie: {self.cookie}",) if self.cookie else ()
        return "\t".join([str(self.port), self.path, *self.headers, *cookies]) + "\n"


class Load:
    """Open connections; a context manager that closes them. `opened` is the generator's report on opening."""

    def __init__(self, clients: Sequence[Client], in_flight: int = IN_FLIGHT) -> None:
        """Open `clients`, so many at once, and return when all are open or refused."""
        with tempfile.NamedTemporaryFile("w", suffix=".clients") as file:
            file.writelines(client.line for client in clients)
            file.flush()
            arguments = [str(program()), file.name, str(in_flight), str(WAIT)]
            self._process = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            try:
                self.opened: dict[str, Any] = self._report()
            except BaseException:
                self.close()
                raise

    def expect(self, events: int) -> None:
        """Begin to count; `delivered` waits until every connection has `events`."""
        self._say(f"expect {events}")
        if self._report() != "expecting":
            raise BenchmarkError("The load generator did not understand; remove benchmarks/build and run again.")

    def delivered(self) -> dict[str, Any]:
        """Return the generator's report on the events that it was to expect."""
        report: dict[str, Any] = self._report()
        return report

    def close(self) -> None:
        """Close all connections."""
        self._process.kill()
        self._process.communicate()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def _say(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def _report(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise BenchmarkError("The load generator stopped early; its own words are above.")
        return json.loads(line)
