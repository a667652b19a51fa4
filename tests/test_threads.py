"""Pools of threads: what they leave behind."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.db import connections

from notifications.live.threads import Threads

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("busy", [False, True], ids=["idle", "busy"])
def test_a_pool_that_is_closed_closes_the_connections_of_all_its_threads(busy: bool) -> None:
    pool, together, goes_on = Threads(3, "test"), threading.Barrier(4), threading.Event()

    def connect() -> Any:
        connection = connections["default"]
        connection.ensure_connection()
        together.wait(20)  # all three are at it, each in a thread of its own
        if busy:
            assert goes_on.wait(20)
        return connection

    work = [pool.submit(connect) for _ in range(3)]
    together.wait(20)
    if busy:
        pool.close(wait=False)
        goes_on.set()
    used = [piece.result(20) for piece in work]
    pool.close()
    for thread in threading.enumerate():
        if thread.name.startswith("test_"):
            thread.join(20)
    assert len({id(connection) for connection in used}) == 3
    assert [connection.connection for connection in used] == [None] * 3
