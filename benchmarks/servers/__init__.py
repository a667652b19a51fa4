"""The servers under test: what each is, how it is started, and where its clients connect."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tests.servers.process import free_port

from ..load import BenchmarkError, Client

ROOT = Path(__file__).parents[2]
SETTINGS = "benchmarks.site.settings"
START = 30.0  # seconds that a server may take to listen


@dataclass(frozen=True)
class Server:
    """A server under test."""

    key: str  # for --servers and for the JSON report
    name: str  # for people
    runner: str  # "program", "uvicorn", "daphne", "granian" or "node"
    target: str  # the program's module, or the ASGI application
    path: str = "/stream"  # of a client; {pk} is its user and {cursor} the position of that user's inbox
    publisher: str = ""  # which publisher of the site feeds it; "" for a server without Django
    needs: str = ""  # a package beyond those of Carillon itself

    @property
    def authenticated(self) -> bool:
        """Return whether it runs Django, and so authenticates connections."""
        return bool(self.publisher)


DJANGO = "benchmarks.site.asgi:application"
LANE = "benchmarks.site.lane:application"
CARILLON = "/notifications/stream/?since={cursor}"
EVENTSTREAM = "/events/{pk}/"
EVENT_PACKAGE = "django_eventstream"
FEED = "/notifications/stream/?inbox=0&feeds=bench:{pk}"
NODE = ROOT / "benchmarks" / "node"
HQ = ROOT / "benchmarks" / "build" / "hq"  # where `make bench` installs a package that is named as ours is

SERVERS = [
    Server("bare", "bare asyncio protocol, uvloop", "program", "benchmarks.servers.bare"),
    Server("raw", "raw ASGI, inline send, uvicorn", "uvicorn", "benchmarks.servers.raw:application"),
    Server("lane", "Carillon's lane, uvicorn", "uvicorn", LANE, CARILLON, "notify"),
    Server("nolane", "Carillon without the lane, uvicorn", "uvicorn", DJANGO, CARILLON, "notify"),
    Server("plain", "StreamingHttpResponse over a queue, uvicorn", "uvicorn", DJANGO, "/queue/", "queue"),
    Server("eventstream", "django-eventstream, uvicorn", "uvicorn", DJANGO, EVENTSTREAM, "eventstream", EVENT_PACKAGE),
    Server(
        "starlette",
        "sse-starlette, uvicorn",
        "uvicorn",
        "benchmarks.servers.starlette:application",
        needs="sse_starlette",
    ),
    Server("feeds", "Carillon's lane, a feed (our client)", "uvicorn", LANE, FEED + "&ids=each", "publish"),
    Server("feeds-plain", "Carillon's lane, a feed (EventSource)", "uvicorn", LANE, FEED, "publish"),
    Server("feeds-node", "better-sse, Node's own server", "node", "server.js"),
    Server("lane-daphne", "Carillon's lane, daphne", "daphne", LANE, CARILLON, "notify"),
    Server("lane-granian", "Carillon's lane, granian", "granian", LANE, CARILLON, "notify", "granian"),
    Server("plain-daphne", "StreamingHttpResponse over a queue, daphne", "daphne", DJANGO, "/queue/", "queue"),
    Server(
        "eventstream-daphne", "django-eventstream, daphne", "daphne", DJANGO, EVENTSTREAM, "eventstream", EVENT_PACKAGE
    ),
]
BY_KEY = {server.key: server for server in SERVERS}


@dataclass(frozen=True)
class Running:
    """A server that listens."""

    server: Server
    port: int
    pid: int
    environment: Mapping[str, str]

    @property
    def database(self) -> Path | None:
        """Return the SQLite file, or None on another database and without one."""
        return Path(self.environment["BENCH_DATABASE"]) if "BENCH_DATABASE" in self.environment else None

    def client(self, row: dict[str, Any]) -> Client:
        """Return the connection that a user of the site, a row of `site.prepare`, opens here."""
        return Client(self.port, self.server.path.format(**row), row["cookie"])

    def publish(self, to: str, events: int, gap: float) -> None:
        """Have it publish.

        Args:
            to: ``"one"`` for the first user's stream, ``"all"`` for every user's.
            events: How many.
            gap: Seconds between them.
        """
        address = f"http://127.0.0.1:{self.port}/publish/{self.server.publisher}?to={to}&events={events}&gap={gap}"
        with urllib.request.urlopen(address, timeout=START) as answer:
            if answer.status != 204:
                raise BenchmarkError(f"{self.server.name} answered {answer.status} instead of publishing.")


@contextmanager
def running(server: Server, environment: Mapping[str, str]) -> Iterator[Running]:
    """Run `server` with the database and the broker that `environment` names, until the block ends.

    Raises:
        BenchmarkError: It did not start.
    """
    port = free_port()
    everything = {**os.environ, "DJANGO_SETTINGS_MODULE": SETTINGS, **environment}
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(
            _command(server, port),
            cwd=ROOT,
            env=everything,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # a group of its own, so that what it starts ends with it
        )
        try:
            _wait(process, port)
            yield Running(server, port, process.pid, environment)
        except BaseException:
            output.seek(0)
            sys.stderr.write(output.read()[-4000:])
            raise
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # its connections are gone, and it holds nothing of value
            process.wait()


def check(wanted: Iterable[Server]) -> None:
    """Raise `BenchmarkError` if a server that is wanted is not installed."""
    wanted = list(wanted)
    needed = {"uvloop", "httptools", *(server.needs for server in wanted if server.needs)}
    if missing := sorted(name for name in needed if not find_spec(name)):
        raise BenchmarkError(
            f"No {', '.join(missing)}: run `make bench`, or pip install -r benchmarks/requirements.txt."
        )
    if any(server.runner == "node" for server in wanted):
        packages = json.loads((NODE / "package.json").read_text())["dependencies"]
        if missing := [name for name in packages if not (NODE / "node_modules" / name).exists()]:
            raise BenchmarkError(f"No {', '.join(missing)}: run `make bench`, or npm install in benchmarks/node.")


def _command(server: Server, port: int) -> list[str]:
    python = [sys.executable, "-m"]
    if server.runner == "program":
        return [*python, server.target, str(port)]
    if server.runner == "uvicorn":
        options = ["--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "warning"]
        return [*python, "uvicorn", server.target, "--port", str(port), *options]
    if server.runner == "granian":
        options = [
            "--interface",
            "asgi",
            "--loop",
            "uvloop",
            "--http",
            "1",
            "--backlog",
            "2048",
            "--log-level",
            "warning",
        ]
        limit = ["--backpressure", "20000"]  # of open requests; by default so many that 1,000 streams fill a server
        return [*python, "granian", server.target, "--port", str(port), *options, *limit]
    if server.runner == "node":
        return ["sh", str(ROOT / "scripts" / "node.sh"), "node", str(NODE / server.target), str(port)]
    # Daphne's own backlog is 50, which would measure the kernel's patience instead of the server.
    endpoint = f"tcp:port={port}:interface=127.0.0.1:backlog=2048"
    return [*python, "daphne", "-v", "0", "-e", endpoint, server.target]


def _wait(process: subprocess.Popen[bytes], port: int) -> None:
    until = time.monotonic() + START
    while time.monotonic() < until:
        if process.poll() is not None:
            raise BenchmarkError("The server ended at once; its own words are above.")
        try:
            socket.create_connection(("127.0.0.1", port), 1.0).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise BenchmarkError(f"The server did not listen within {START:.0f} s.")
