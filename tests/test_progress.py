"""Progress: one notification that grows, ends, and can be cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any
from unittest.mock import patch

from asgiref.sync import sync_to_async
from django.core.exceptions import ValidationError
from django.db import OperationalError, connection, transaction
from django.test import Client, TransactionTestCase
from django.utils import timezone

from notifications.inbox import progress as module
from notifications.inbox.frames import Item
from notifications.inbox.progress import cancel_progress, progress
from notifications.inbox.reading import page
from notifications.models import Notification, Progress
from notifications.testing import travel
from tests.factories import make_user
from tests.threads import returned

LIMIT = 20  # seconds, for what takes one


class ProgressTest(TransactionTestCase):
    def setUp(self) -> None:
        self.alice, self.bob = make_user("alice"), make_user("bob")

    def item(self) -> Item:
        (found,) = page(self.alice).items
        return found

    def shown(self) -> dict[str, Any]:
        found: dict[str, Any] = self.item().data["progress"]
        return found


def stores(percent: float) -> Callable[..., bool]:
    """Return whether a write stores a percentage."""
    return lambda _pk, data, *_rest, **_more: bool(data) and data["progress"]["percent"] == percent


class GrowingTests(ProgressTest):
    def test_it_is_one_item_that_grows_and_ends_with_a_link(self) -> None:
        stored = returned(module, "_write", stores(40))
        with stored as forty, progress(self.alice, "Import", url="/imports/7/") as p:
            first = self.item()
            assert (first.title, first.level, first.url) == ("Import", "info", "")
            assert self.shown() == {"percent": 0.0, "text": "", "state": "running", "cancellable": True}
            p.update(40, "4,000 of 10,000")
            assert forty.wait(LIMIT)
            assert self.shown()["percent"] == 40
            assert self.item().version > first.version
        last = self.item()
        assert (last.id, last.level, last.url) == (first.id, "success", "/imports/7/")
        assert self.shown() == {"percent": 100.0, "text": "4,000 of 10,000", "state": "done", "cancellable": False}
        assert Notification.objects.count() == 1

    def test_many_updates_are_few_writes(self) -> None:
        with progress(self.alice, "Import") as p:
            for n in range(1_000):
                p.update(n / 10)
        assert self.item().version < 8

    def test_what_raises_failed_and_the_exception_goes_on(self) -> None:
        with self.assertRaises(ZeroDivisionError), progress(self.alice, "Import", url="/x/") as p:
            p.update(30)
            raise ZeroDivisionError
        assert (self.shown()["state"], self.shown()["percent"]) == ("failed", 30.0)
        assert (self.item().level, self.item().url) == ("error", "")

    def test_work_whose_worker_was_killed_is_seen_as_such(self) -> None:
        p = progress(self.alice, "Import")
        p._work.begin()
        with travel(seconds=module.PROGRESS_LEASE - 1):
            assert self.shown()["state"] == "running"
        with travel(seconds=module.PROGRESS_LEASE):
            assert (self.shown()["state"], self.item().level) == ("failed", "error")
        p._work.end(None)  # should the worker come back, it is too late
        assert self.shown()["state"] == "failed"

    def test_wrong_input_is_explained(self) -> None:
        with progress(self.alice, "Import") as p:
            for arguments in ((101,), (-1,), (1, "x" * 201)):
                with self.assertRaises(ValidationError):
                    p.update(*arguments)
            p.update(None, "counting")

    def test_a_link_that_would_be_refused_is_refused_before_the_work_begins(self) -> None:
        for url in ("javascript:alert(1)", "//elsewhere.example/", "/" + "x" * 2_000):
            with self.assertRaises(ValidationError) as refused, progress(self.alice, "Import", url=url):
                raise AssertionError("it was let begin")
            assert list(refused.exception.message_dict) == ["url"]
        assert not Notification.objects.exists()

    def test_what_no_database_stores_is_replaced_in_the_text(self) -> None:
        with progress(self.alice, "Import") as p:
            p.update(40, "a\x00b, \udcff.csv")  # as `os.listdir` names a file that is not UTF-8
        assert self.shown()["text"] == "a\ufffdb, \ufffd.csv"

    def test_the_end_is_stored_although_its_transaction_meets_another(self) -> None:
        conflicts = iter([True])

        def meet(execute: Any, sql: str, *rest: Any) -> Any:
            if sql.startswith("UPDATE") and Progress._meta.db_table in sql and next(conflicts, False):
                raise OperationalError(1213, "Deadlock found")
            return execute(sql, *rest)

        with progress(self.alice, "Import") as p:
            p.update(40)
            p._thread.end()  # what is stored from here on is the end
            collided = connection.execute_wrapper(meet)
            collided.__enter__()
        collided.__exit__(None, None, None)
        assert next(conflicts, None) is None
        assert self.shown()["state"] == "done"


class CancelTests(ProgressTest):
    def test_its_user_cancels_it_and_the_worker_hears_at_once(self) -> None:
        with progress(self.alice, "Import") as p:
            p.update(20)
            assert not cancel_progress(self.bob, p.id)
            assert cancel_progress(self.alice, p.id)
            assert p.cancelled
            assert not cancel_progress(self.alice, p.id)
        assert (self.shown()["state"], self.shown()["percent"]) == ("cancelled", 20.0)

    def test_a_cancellation_that_is_rolled_back_cancels_nothing(self) -> None:
        with progress(self.alice, "Import") as p:
            with transaction.atomic():
                assert cancel_progress(self.alice, p.id)
                transaction.set_rollback(True)
            assert not p.cancelled
        assert self.shown()["state"] == "done"

    def test_by_http(self) -> None:
        client = Client()
        client.force_login(self.alice)
        with progress(self.alice, "Import") as p:
            answer = client.post(f"/notifications/api/inbox/{self.item().id}/cancel/")
            assert answer.json()["cancelled"] is True
            assert p.cancelled
        stranger = Client()
        stranger.force_login(self.bob)
        assert stranger.post(f"/notifications/api/inbox/{self.item().id}/cancel/").status_code == 404

    def test_what_may_not_be_cancelled_is_not(self) -> None:
        with progress(self.alice, "Import", cancellable=False) as p:
            assert not cancel_progress(self.alice, p.id)

    async def test_a_cancellation_in_another_process_without_a_broker_is_found(self) -> None:
        p = progress(self.alice, "Import")
        heard = asyncio.Event()
        cancel = p._work.cancel

        def cancel_and_tell() -> None:
            cancel()
            heard.set()

        with patch.object(p._work, "cancel", cancel_and_tell):
            async with asyncio.timeout(LIMIT), p:
                await Progress.objects.aupdate(cancel_requested_at=timezone.now())
                await heard.wait()
                assert p.cancelled
        assert (await sync_to_async(self.shown)())["state"] == "cancelled"
