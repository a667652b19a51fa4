"""The databases that are measured, and programs that run on one of them."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from tests.servers import mariadb as mariadb_server
from tests.servers import postgresql as server

from .load import BenchmarkError
from .servers import ROOT, SETTINGS

Environment = dict[str, str]


@contextmanager
def sqlite() -> Iterator[Environment]:
    """Yield the environment of a new database file."""
    with tempfile.TemporaryDirectory(prefix="carillon-bench-") as folder:
        yield {"BENCH_DATABASE": str(Path(folder).resolve() / "site.sqlite3")}


@contextmanager
def postgresql() -> Iterator[Environment]:
    """Yield the environment of a new server."""
    with server.running() as running:
        yield {"BENCH_POSTGRESQL": str(running.port)}


@contextmanager
def mariadb() -> Iterator[Environment]:
    """Yield the environment of a new server, whose driver is there after `make mariadb`."""
    with mariadb_server.running() as running:
        yield {"BENCH_MARIADB": str(running.port)}


NAMES = {"sqlite": "SQLite", "postgresql": "PostgreSQL", "mariadb": "MariaDB"}
USUAL = ("sqlite", "postgresql")  # those that are measured unless others are named


def opened(key: str) -> AbstractContextManager[Environment]:
    """Return the context of a database by its key in `NAMES`."""
    made = {"sqlite": sqlite, "postgresql": postgresql, "mariadb": mariadb}
    return made[key]()


def each() -> Iterator[tuple[str, AbstractContextManager[Environment]]]:
    """Yield each database's name with the context that opens it."""
    for key in USUAL:
        yield NAMES[key], opened(key)


def run(module: str, arguments: Sequence[object], environment: Environment) -> str:
    """Run a module on a database, and return what it prints.

    Raises:
        BenchmarkError: It failed.
    """
    everything = {**os.environ, "DJANGO_SETTINGS_MODULE": SETTINGS, **environment}
    command = [sys.executable, "-m", module, *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, env=everything, check=False, stdout=subprocess.PIPE)
    if done.returncode:
        raise BenchmarkError(f"{module} failed; its own words are above.")
    return done.stdout.decode()
