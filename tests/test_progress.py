"""Progress: one notification that grows, ends, and can be cancelled."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from unittest.mock import patch

from asgiref.sync import sync_to_async
from django.core.exceptions import ValidationError
from django.db import OperationalError, connection, transaction
from django.test import Client, TransactionTestCase
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from notifications.inbox import progress as module
from notifications.inbox import reading
from notifications.inbox.frames import Item
from notifications.inbox.progress import cancel_progress, end_abandoned, progress
from notifications.inbox.reading import page
from notifications.inbox.stream import INBOX
from notifications.live import leases
from notifications.live.cursor import Position
from notifications.live.leases import POLLS_LOOK_EVERY, Looks
from notifications.live.replay import changes_since
from notifications.models import Inbox, Notification, Progress
from notifications.tenants import PerTenant
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
            assert p.item == first.id
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


class AbandonedTests(ProgressTest):
    """No process serves a stream, so nobody has stored yet that the worker is gone."""

    def setUp(self) -> None:
        super().setUp()
        progress(self.alice, "Import")._work.begin()
        self.at_work = reading.summary(self.alice).cursor
        self.client.force_login(self.alice)
        looks = patch.object(leases, "_looks", PerTenant(lambda: Looks(lambda: self.now)))
        looks.start()
        self.addCleanup(looks.stop)

    now = 0.0

    def die(self) -> None:
        Progress.objects.update(lease_until=timezone.now() - timedelta(seconds=1))

    def told(self, since: str) -> list[dict[str, Any]]:
        """Return the items that a client which polls is told."""
        frames = self.client.get(reverse("notifications:changes"), {"since": since}).json()["frames"]
        return [one for frame in frames for one in frame.get("items", [])]

    def test_whoever_reads_it_is_told_that_it_failed(self) -> None:
        failed = {"percent": 0.0, "text": "", "state": "failed", "cancellable": False}

        def seen() -> list[Any]:
            epoch = Inbox.objects.get(user=self.alice).epoch
            snapshot = INBOX.snapshot(self.alice.pk, Position("x", 1), "start").frames[0].data
            [replay] = changes_since(INBOX, {self.alice.pk: Position(epoch, 0)})[self.alice.pk].frames
            listed = self.client.get(reverse("notifications:inbox-list")).json()["items"]
            acted = self.client.post(reverse("notifications:item-action", args=[self.item().id, "read"])).json()["item"]
            items = [*json.loads(snapshot)["items"], *json.loads(replay.data)["items"], *listed, acted]
            return [(item["level"], item["data"]["progress"]) for item in items]

        assert [progress["state"] for _level, progress in seen()] == ["running"] * 4
        self.die()
        assert seen() == [("error", failed)] * 4
        assert "running" not in self.client.get(reverse("notifications:inbox")).content.decode()
        assert Progress.objects.get().state == "running", "who reads changes nothing"

    def test_a_page_costs_one_query_more_while_something_is_running_and_else_none(self) -> None:
        def cost() -> int:
            with CaptureQueriesContext(connection) as queries:
                page(self.alice)
            return len(queries)

        running = cost()
        self.die()
        end_abandoned()
        assert running - cost() == 1

    def test_a_page_that_polls_is_told_within_seconds_and_asks_no_more_often(self) -> None:
        assert self.told(self.at_work) == []
        self.die()
        assert self.told(self.at_work) == [], "this process has just looked"
        self.now += POLLS_LOOK_EVERY
        [item] = self.told(self.at_work)
        assert (item["level"], item["data"]["progress"]["state"]) == ("error", "failed")
        assert Progress.objects.get().state == "failed"


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
