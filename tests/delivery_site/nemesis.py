"""What is done to servers, writers, network, broker and database: each act by its name, whole when it returns."""

from __future__ import annotations

import io
import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from tests.servers.faults import FaultProxy

from .journals import WriterProcess
from .surroundings import ServedDatabase

if TYPE_CHECKING:
    from .game import Game

SHORT = (0.2, 3.0)  # seconds for which something is stopped, held, or silent
LONG = (1.0, 8.0)  # of a black hole: clients give up after six
AWAY = (0.1, 2.0)  # of a broker that is dead
OLD = timedelta(seconds=1)  # of notifications that are pruned
OLD_MESSAGES = timedelta(seconds=15)
AFTERMATH = 5.0  # seconds after a fault of the database in which servers may answer that they failed

Act = Callable[[], None]


class Nemesis:
    """Acts on one game; which and how is decided by its seed."""

    def __init__(self, game: Game, chance: random.Random) -> None:
        self.game = game
        self.chance = chance
        self.excused_until = 0.0  # by the clock of `time.time`
        self.saved_at: float | None = None

    def acts(self) -> dict[str, Act]:
        """Return what can be done here, by name."""
        database = self.game.surroundings.database
        found: dict[str, Act] = {
            "cut": lambda: self._proxy().cut(),
            "half-open": lambda: self._proxy().half_open(),
            "black hole": self.black_hole,
            "kill a server": self.kill_server,
            "stop a server": lambda: self._stop(self._server_pid()),
            "kill a writer": self.kill_writer,
            "stop a writer": lambda: self._stop(self._writer().process.pid),
            "prune": self.prune,
        }
        if self.game.surroundings.broker is not None:
            found |= {
                "kill the broker": self.kill_broker,
                "cut the broker": self.cut_broker,
                "black hole before the broker": self.hide_broker,
            }
        if isinstance(database, ServedDatabase):
            found |= {
                "end database connections": self.end_connections,
                "restart the database": self.restart_database,
            }
        else:
            found |= {"hold the database": lambda: database.hold(self.span(SHORT)), "disk full": self.fill_disk}
        return found | {"restore": self.restore}

    def asked_for(self) -> dict[str, Act]:
        """Return what is done only if it is asked for by name.

        A process is in its group of the layer until that is flushed, and joins it anew within twenty seconds: until
        then it finds what others do by comparison, which is later than a probe may be.
        """
        return {"flush the broker": self.flush_broker} if self.game.surroundings.broker is not None else {}

    def span(self, seconds: tuple[float, float]) -> float:
        return self.chance.uniform(*seconds)

    def is_excused(self) -> bool:
        return time.time() < self.excused_until

    @contextmanager
    def excused(self) -> Iterator[None]:
        """Let servers answer that they failed, for their database does."""
        self.excused_until = float("inf")
        try:
            yield
        finally:
            self.excused_until = time.time() + AFTERMATH

    # Network and processes

    def _proxy(self) -> FaultProxy:
        return self.chance.choice(self.game.proxies)

    def black_hole(self) -> None:
        proxy = self._proxy()
        proxy.black_hole()
        time.sleep(self.span(LONG))
        proxy.heal()

    def kill_server(self) -> None:
        server = self.chance.choice(self.game.servers)
        server.kill()
        time.sleep(self.span(AWAY))
        server.start()

    def _server_pid(self) -> int:
        return self.chance.choice(self.game.servers).pid

    def _writer(self) -> WriterProcess:
        return self.chance.choice(self.game.running_writers())

    def _stop(self, pid: int) -> None:
        os.kill(pid, signal.SIGSTOP)
        time.sleep(self.span(SHORT))
        os.kill(pid, signal.SIGCONT)

    def kill_writer(self) -> None:
        self._writer().kill()
        self.game.add_writer()

    # Broker

    def kill_broker(self) -> None:
        broker = self.game.broker
        broker.server.kill()
        time.sleep(self.span(AWAY))
        broker.server.start()

    def flush_broker(self) -> None:
        self.game.broker.server.flush()

    def cut_broker(self) -> None:
        self.game.broker.network.cut()

    def hide_broker(self) -> None:
        self.game.broker.network.black_hole()
        time.sleep(self.span(SHORT))
        self.game.broker.network.heal()

    # Database

    def prune(self) -> None:
        from django.utils import timezone

        from notifications.services import prune, prune_messages

        self.game.judge.is_pruned = True
        prune(timezone.now() - OLD)
        prune_messages(timezone.now() - OLD_MESSAGES)

    def end_connections(self) -> None:
        with self.excused():
            self._served().end_connections()

    def restart_database(self) -> None:
        with self.excused():
            self._served().restart()

    def _served(self) -> ServedDatabase:
        database = self.game.surroundings.database
        assert isinstance(database, ServedDatabase)
        return database

    def fill_disk(self) -> None:
        flag = self.game.surroundings.database.disk_full
        with self.excused():
            flag.touch()
            time.sleep(self.span(SHORT))
            flag.unlink()

    def restore(self) -> None:
        """Copy the database at the first time, and take the copy at the next, as the documentation says."""
        from django.core.management import call_command
        from django.db import connection

        database = self.game.surroundings.database
        with self.excused():
            if self.saved_at is None:
                self.saved_at = time.time()
                database.save()
                return
            for writer in self.game.running_writers():
                writer.end()
            for server in self.game.servers:
                server.kill()
            connection.close()
            database.restore()
            self.game.judge.void.append((self.saved_at, time.time()))
            self.game.forget_what_was_restored()
            call_command("carillon_renew_epochs", stdout=io.StringIO())
            self.saved_at = None
            for server in self.game.servers:
                server.start()
            self.game.add_writers()
