"""Hints through PostgreSQL for a site behind pgbouncer, which is a package of Debian."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.db import connections
from django.test import override_settings

from notifications.live.broker import Broker, group
from notifications.live.messages import Sweep
from notifications.live.postgresql import PostgreSQL, Unreachable
from tests.hearing import Listener, primary
from tests.servers.postgresql import PostgreSQL as Server
from tests.servers.process import ServerProcess, data_folder, free_port

PROGRAM = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")

pytestmark = [
    pytest.mark.thorough,
    pytest.mark.skipif(PROGRAM is None, reason="pgbouncer is missing: it is a package of Debian."),
]


@contextmanager
def pooled(server: Server, mode: str) -> Iterator[str]:
    """Put a pgbouncer before a new database; yield the database's address there."""
    with tempfile.TemporaryDirectory(prefix="carillon-pgbouncer-") as folder:
        yield from _pooled(server, mode, Path(folder))


def _pooled(server: Server, mode: str, folder: Path) -> Iterator[str]:
    port = free_port()
    name = server.create().rpartition("/")[2]
    _data, uid, gid = data_folder(folder)
    settings = folder / "pgbouncer.ini"
    settings.write_text(
        f"[databases]\n{name} = host=127.0.0.1 port={server.port} user=postgres\n[pgbouncer]\nlisten_addr = 127.0.0.1\n"
        f"listen_port = {port}\nauth_type = any\npool_mode = {mode}\nunix_socket_dir =\n"
    )
    command = [str(PROGRAM), str(settings)]
    process = ServerProcess(command, port=port, log=folder / "log", cwd=Path("/"), uid=uid, gid=gid)
    process.start()
    try:
        yield f"postgres://postgres@127.0.0.1:{port}/{name}"
    finally:
        process.stop()


async def heard() -> Any:
    """Return what a process hears that listens, of one that has no server."""

    def post() -> None:
        Broker.post_once(Sweep())
        connections.close_all()

    async with Listener(PostgreSQL(group())) as listener:
        await asyncio.to_thread(post)
        return (await listener.next())["message"]


def test_a_session_of_ones_own_is_as_good_as_the_server(postgresql: Server, django_db_blocker: Any) -> None:
    with pooled(postgresql, "session") as url, django_db_blocker.unblock(), primary(url):
        assert asyncio.run(heard()) == {"name": "sweep"}


def test_a_session_that_is_shared_is_refused_and_a_direct_address_helps(
    postgresql: Server, django_db_blocker: Any
) -> None:
    with pooled(postgresql, "transaction") as url, django_db_blocker.unblock(), primary(url):
        with pytest.raises(Unreachable, match="NOTIFICATIONS_LISTEN_URL"):
            asyncio.run(heard())
        with override_settings(NOTIFICATIONS_LISTEN_URL=f"postgresql://127.0.0.1:{postgresql.port}"):
            assert asyncio.run(heard()) == {"name": "sweep"}
