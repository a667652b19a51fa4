"""The ASGI servers that the demo site is promised to run under, each as a process of its own."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from .process import ServerProcess, free_port

ROOT = Path(__file__).resolve().parents[2]
APPLICATION = "project.asgi:application"
KINDS = ("uvicorn", "daphne", "granian", "hypercorn")
GRACE = 5  # seconds that a server gives its streams when it is asked to end


def command(kind: str, application: str, port: int) -> list[str]:
    """Return the words that start a server of this kind on a loopback port."""
    words = {
        "uvicorn": [f"--port={port}", "--no-access-log", f"--timeout-graceful-shutdown={GRACE}", application],
        "daphne": ["-e", f"tcp:port={port}:interface=127.0.0.1:backlog=2048", application],
        "granian": ["--interface=asginl", f"--port={port}", f"--workers-kill-timeout={GRACE}", application],
        "hypercorn": [f"--bind=127.0.0.1:{port}", f"--graceful-timeout={GRACE}", application],
    }
    return [sys.executable, "-m", kind, *words[kind]]


def environment(database_url: str, redis_url: str = "", settings: str = "project.settings") -> dict[str, str]:
    """Return the variables with which a process is one of the demo site's."""
    return {
        "DJANGO_SETTINGS_MODULE": settings,
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "SECRET_KEY": "a key for tests only",
        "DEBUG": "1",
        "ALLOWED_HOSTS": "127.0.0.1,localhost",
        "PYTHONUNBUFFERED": "1",
    }


def server(
    kind: str,
    *,
    folder: Path,
    database_url: str,
    redis_url: str = "",
    application: str = APPLICATION,
    settings: str = "project.settings",
    env: Mapping[str, str] | None = None,
    words: Sequence[str] = (),
) -> ServerProcess:
    """Return a server that is not started yet; its output goes to a file in ``folder``."""
    port = free_port()
    return ServerProcess(
        [*command(kind, application, port), *words],
        port=port,
        log=folder / f"{kind}-{port}.log",
        env={
            **environment(database_url, redis_url, settings),
            "BASE_URL": f"http://127.0.0.1:{port}",
            "PORT": str(port),  # to which the demo sends its webhooks
            **(env or {}),
        },
        cwd=ROOT,
    )
