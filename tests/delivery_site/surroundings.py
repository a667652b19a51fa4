"""A folder, a database and, if it is wanted, a broker, for a program of its own."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, suppress
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import django

from tests.servers import asgi, mariadb, postgresql, valkey
from tests.servers.faults import FaultProxy
from tests.servers.process import ServerProcess
from tests.servers.valkey import Valkey

SETTINGS = "tests.delivery_site.settings"
ANSWERS = 30.0  # seconds within which a database answers again that was restarted


class Database:
    """A database in a file: SQLite."""

    name = "sqlite"
    server: ServerProcess | None = None

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.copy = folder.parent / f"{folder.name}-copy"
        self.disk_full = folder / "disk-full"

    @property
    def path(self) -> Path:
        return self.folder / "db.sqlite3"

    @property
    def url(self) -> str:
        return f"sqlite:///{self.path}"

    def hold(self, seconds: float) -> None:
        """Keep everybody else from writing."""
        with closing(sqlite3.connect(self.path, timeout=30, isolation_level=None)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            time.sleep(seconds)
            connection.execute("ROLLBACK")

    def save(self) -> None:
        """Make a copy, as a backup does."""
        with closing(sqlite3.connect(self.path)) as here, closing(sqlite3.connect(self.copy)) as there:
            here.backup(there)

    def restore(self) -> None:
        """Take the copy, while nobody uses the database."""
        for path in self.folder.glob("db.sqlite3*"):
            path.unlink()
        shutil.copy(self.copy, self.path)


class ServedDatabase(Database):
    """A database with a server of its own."""

    server: ServerProcess
    ends: signal.Signals  # by which its server ends at once, without a loss
    data: Path

    def end_connections(self) -> None:
        """End all connections of the site."""
        raise NotImplementedError

    def restart(self) -> None:
        """End the server, and start it again."""
        self.stop()
        self.start()

    def stop(self) -> None:
        assert self.server.process is not None
        self.server.process.send_signal(self.ends)
        self.server.process.wait(60)

    def start(self) -> None:
        self.server.start()
        deadline = time.monotonic() + ANSWERS
        while True:
            try:
                return self.ask()
            except Exception:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)

    def ask(self) -> None:
        """Raise what a connection raises as long as the server does not answer."""
        raise NotImplementedError

    def save(self) -> None:
        self.stop()
        shutil.rmtree(self.copy, ignore_errors=True)
        _copy(self.data, self.copy)
        self.start()

    def restore(self) -> None:
        self.stop()
        shutil.rmtree(self.data)
        _copy(self.copy, self.data)
        self.start()


def _copy(source: Path, target: Path) -> None:
    """Copy a folder with the owners of its files."""
    shutil.copytree(source, target, symlinks=True)
    for path in (source, *source.rglob("*")):
        copied = target / path.relative_to(source)
        found = path.stat()
        os.chown(copied, found.st_uid, found.st_gid)


class PostgreSQLDatabase(ServedDatabase):
    """A PostgreSQL."""

    name = "postgresql"
    ends = signal.SIGQUIT  # as after a crash: it recovers from its log

    def __init__(self, folder: Path, running: postgresql.PostgreSQL) -> None:
        super().__init__(folder)
        self.running = running
        self.server = running.process
        self.data = running.folder / "data"
        self.created = running.create()

    @property
    def url(self) -> str:
        return self.created

    def ask(self) -> None:
        self._run("SELECT 1")

    def end_connections(self) -> None:
        self._run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname LIKE 'carillon%'")

    def _run(self, sql: str) -> None:
        import psycopg

        with psycopg.connect(self.running.url(), autocommit=True) as connection:
            connection.execute(sql.encode())


class MariaDBDatabase(ServedDatabase):
    """A MariaDB."""

    name = "mariadb"
    ends = signal.SIGTERM  # it does not wait for the disk, so that a crash would lose what was committed

    def __init__(self, folder: Path, running: mariadb.MariaDB) -> None:
        super().__init__(folder)
        self.running = running
        self.server = running.process
        self.data = next(Path(word.partition("=")[2]) for word in self.server.command if word.startswith("--datadir"))

    @property
    def url(self) -> str:
        return self.running.url

    def ask(self) -> None:
        with closing(self._connect()):
            pass

    def end_connections(self) -> None:
        driver = import_module("MySQLdb")
        with closing(self._connect()) as connection, closing(connection.cursor()) as cursor:
            cursor.execute("SELECT id FROM information_schema.processlist WHERE db = %s", [mariadb.DATABASE])
            for (number,) in cursor.fetchall():
                with suppress(driver.OperationalError):  # it has ended by itself
                    cursor.execute(f"KILL CONNECTION {number}")

    def _connect(self) -> Any:
        return import_module("MySQLdb").connect(host="127.0.0.1", user="root", port=self.running.port)


class Broker:
    """A server of the Redis protocol, and the network before it."""

    def __init__(self, server: Valkey, layer: str) -> None:
        self.server = server
        self.layer = layer
        self.network = FaultProxy(server.port)

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.network.port}/0"


# By name, how processes tell each other: nothing but comparison, PostgreSQL itself, or the layers of channels_redis.
LAYERS = ("core", "pubsub")
LISTEN = "listen"
BROKERS = ("none", LISTEN, *LAYERS)
DATABASES = ("sqlite", "postgresql", "mariadb")


class Surroundings(NamedTuple):
    """What the processes of one game share."""

    folder: Path
    database: Database
    broker: Broker | None

    def server(self, **environment: str) -> ServerProcess:
        """Return a server of the site that is not started yet."""
        return asgi.server(
            "uvicorn",
            folder=self.folder,
            database_url=self.database.url,
            redis_url=self.broker.url if self.broker else "",
            settings=SETTINGS,
            env=environment,
        )


@contextmanager
def prepared(
    *,
    database: str = "sqlite",
    broker: str = "none",
    settings: str = SETTINGS,
    environment: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[Surroundings]:
    """Set Django up in this process, on an empty database that is migrated; leave nothing behind."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="carillon-delivery-")))
        here = folder / "database"
        here.mkdir()
        makers: dict[str, Callable[[], Database]] = {
            "sqlite": lambda: Database(here),
            "postgresql": lambda: PostgreSQLDatabase(here, stack.enter_context(postgresql.running())),
            "mariadb": lambda: MariaDBDatabase(here, stack.enter_context(mariadb.running())),
        }
        found = makers[database]()
        running = Broker(stack.enter_context(valkey.running()), broker) if broker in LAYERS else None
        if running is not None:
            running.network.start()
            stack.callback(running.network.stop)
        os.environ |= {
            **asgi.environment(found.url, running.url if running else "", settings),
            "LAYER": running.layer if running else "",
            "DISK_FULL": str(found.disk_full),
            "LISTENS": "yes" if broker == LISTEN else "",
            **environment,
        }
        django.setup()
        from django.core.management import call_command
        from django.db import connection

        call_command("migrate", verbosity=0)
        try:
            yield Surroundings(folder, found, running)
        finally:
            connection.close()


@contextmanager
def connected() -> Iterator[None]:
    """Use the database, and leave no connection behind in this thread: the nemesis ends those that it finds."""
    from django.db import connection

    connection.close()
    try:
        yield
    finally:
        connection.close()
