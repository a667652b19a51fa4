"""Without a broker, a process asks for its streams only where something was committed at all."""

from __future__ import annotations

import asyncio
from typing import Any
from unittest.mock import AsyncMock, patch

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.db import DEFAULT_DB_ALIAS, connection, transaction
from django.test import override_settings

from notifications.inbox.stream import INBOX
from notifications.live import periodic, relay
from notifications.live.commits import CommitWatch
from notifications.live.connections import EVENT_STREAM
from notifications.live.cursor import Position
from notifications.live.hub import Connection
from notifications.live.periodic import PeriodicTasks
from notifications.models import Inbox, Notification

from .factories import make_user, tell
from .streaming import TIMEOUT
from .threads import together

pytestmark = pytest.mark.django_db(transaction=True)

only_sqlite = pytest.mark.skipif(connection.vendor != "sqlite", reason="Only SQLite says whether it has changed.")


@pytest.fixture
def watch() -> Any:
    watching = CommitWatch()
    yield watching
    watching.close()


@only_sqlite
def test_what_any_connection_commits_is_seen_and_nothing_else(watch: CommitWatch) -> None:
    def moved() -> bool:
        return watch.moved([DEFAULT_DB_ALIAS])

    assert moved(), "it was not asked before"
    assert not moved()
    make_user()
    assert moved()
    list(Notification.objects.all())
    with transaction.atomic():
        make_user("bob")
        transaction.set_rollback(True)
    assert not moved()
    together(lambda: make_user("carol"))
    assert moved()
    assert not moved()


@only_sqlite
def test_periodic_tasks_wait_for_a_commit_or_for_their_time() -> None:
    turns: list[str] = []
    found: list[bool] = []
    ask = CommitWatch.moved

    def task() -> float:
        turns.append("turn")
        return 3600.0

    async def play() -> None:
        loop, looked = asyncio.get_running_loop(), asyncio.Event()

        def moved(watch: CommitWatch, aliases: Any) -> bool:
            found.append(ask(watch, aliases))
            loop.call_soon_threadsafe(looked.set)
            return found[-1]

        async def looks(more: int) -> None:
            for _look in range(more):
                looked.clear()
                await looked.wait()

        tasks = PeriodicTasks(lambda: 0.01)
        with (
            patch.object(periodic, "_tasks", [task]),
            patch.object(periodic, "_closers", []),
            patch.object(CommitWatch, "moved", moved),
        ):
            running = asyncio.create_task(tasks.run())
            try:
                async with asyncio.timeout(TIMEOUT):
                    await looks(5)
                    assert len(turns) == 2, "the first turn, and that of the first look, which knows nothing yet"
                    await sync_to_async(make_user)()
                    await looks(5)
                    assert len(turns) == 3
                    assert found.count(True) == 2
            finally:
                running.cancel()
                tasks.close()

    async_to_sync(play)()


@only_sqlite
def test_a_process_that_ends_closes_the_files_that_it_has_watched_for_its_tenants() -> None:
    async def play() -> int:
        one = relay.Relay(asyncio.get_running_loop(), alone=True)
        tenant = one._tenants["a"] = relay.Relay(one.loop, root=one, tenant="a")
        await one.run(tenant._commits.moved, [DEFAULT_DB_ALIAS])
        one.close()
        return len(tenant._commits._watching)

    assert async_to_sync(play)() == 0


@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite says whether it has changed.")
def test_another_database_may_always_have_changed(watch: CommitWatch) -> None:
    assert [watch.moved([DEFAULT_DB_ALIAS]) for _ in range(2)] == [True, True]


@only_sqlite
@override_settings(NOTIFICATIONS_RECONCILE=60.0)
def test_streams_are_compared_again_where_something_was_committed_or_has_failed() -> None:
    alice = make_user()
    tell(alice, "One")
    inbox = Inbox.objects.get()

    async def turns() -> list[bool]:
        one = relay.Relay(asyncio.get_running_loop(), alone=True)
        reader = Connection("test", AsyncMock(), EVENT_STREAM, lambda: None)
        one.hub.add(reader)
        one.hub.attach(reader, INBOX.key(alice.pk), Position(inbox.epoch, inbox.head))
        found = []

        async def turn() -> None:
            with patch.object(relay, "_compare", wraps=relay._compare) as compared:
                if await one._may_have_moved():
                    await one._reconcile()
            found.append(compared.called)

        await turn()
        await turn()
        await sync_to_async(tell)(alice, "Two")
        await turn()
        await turn()
        with patch.object(relay, "_compare", side_effect=OSError("once")):
            await one._reconcile()
        await turn()
        one.close()
        return found

    assert async_to_sync(turns)() == [True, False, True, False, True]
