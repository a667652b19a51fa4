"""A folder, a database and, if it is wanted, a broker, for a program of its own."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

import django

from tests.servers import asgi, postgresql, valkey
from tests.servers.process import ServerProcess
from tests.servers.valkey import Valkey

SETTINGS = "tests.delivery_site.settings"


class Surroundings(NamedTuple):
    """What the processes of one game share."""

    folder: Path
    database_url: str
    broker: Valkey | None

    def server(self) -> ServerProcess:
        """Return a server of the site that is not started yet."""
        redis_url = self.broker.url if self.broker else ""
        return asgi.server(
            "uvicorn", folder=self.folder, database_url=self.database_url, redis_url=redis_url, settings=SETTINGS
        )


@contextmanager
def prepared(*, broker: bool = False, on_postgresql: bool = False) -> Iterator[Surroundings]:
    """Set Django up in this process, on an empty database that is migrated; leave nothing behind."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="carillon-delivery-")))
        url = f"sqlite:///{folder}/db.sqlite3"
        if on_postgresql:
            url = stack.enter_context(postgresql.running()).create()
        running = stack.enter_context(valkey.running()) if broker else None
        os.environ |= asgi.environment(url, running.url if running else "", SETTINGS)
        django.setup()
        from django.core.management import call_command
        from django.db import connection

        call_command("migrate", verbosity=0)
        try:
            yield Surroundings(folder, url, running)
        finally:
            connection.close()
