"""Texts that grow: what is stored of them, who hears which piece, and how they end."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import msgspec
import pytest
from asgiref.sync import sync_to_async
from django.core.exceptions import ValidationError
from django.db import transaction
from django.test import TransactionTestCase
from django.urls import reverse
from django.utils import timezone

from notifications.exceptions import Stopped
from notifications.feeds import Log, Nothing, feed, texts
from notifications.feeds.answers import answer, astop_answer, stop_answer
from notifications.feeds.names import stream_key
from notifications.feeds.reading import present_events
from notifications.feeds.registry import find
from notifications.feeds.stream import FEED
from notifications.live import keeping, leases
from notifications.live.cursor import Position
from notifications.live.keeping import Over
from notifications.live.replay import changes_since
from notifications.models import FeedEvent, FeedText
from notifications.tenants import PerTenant
from notifications.testing import travel
from tests.factories import make_user
from tests.threads import returned

LIMIT = 20  # seconds, for what takes one


@pytest.fixture(autouse=True)
def declared(own_feeds: None) -> None:
    feed("chat:{pk:int}", keep=Log())(lambda user, pk: True)
    feed("live", keep=Nothing())(lambda user: True)


def shown(since: Position | None = None) -> tuple[list[dict[str, Any]], Position]:
    """Return the data of the events that a reader gets, and where it is then."""
    pk = stream_key("chat:7")
    batch = changes_since(FEED, {pk: since})[pk]
    frames = [msgspec.json.decode(frame.data) for frame in batch.frames]
    return [event["data"] for frame in frames for event in frame["events"]], batch.to


class BlockingTests(TransactionTestCase):
    def test_a_late_reader_gets_the_whole_text_at_once(self) -> None:
        with answer("chat:7", data={"model": "rules"}) as a:
            a.append("Hello, ")
            a.flush()
            first, position = shown()
            assert first == [{"model": "rules", "text": "Hello, ", "state": "writing"}]
            a.append("world")
        assert shown()[0] == shown(position)[0] == [{"model": "rules", "text": "Hello, world", "state": "done"}]

    def test_what_raises_fails_and_the_exception_goes_on(self) -> None:
        with self.assertRaisesMessage(RuntimeError, "no model"), answer("chat:7") as a:
            a.append("Well")
            raise RuntimeError("no model")
        (data,) = shown()[0]
        assert (data["text"], data["state"]) == ("Well", "failed")
        assert data["error"]
        assert "no model" not in data["error"]  # which is for the log, not for readers

    def test_who_is_asked_to_stop_stops_at_the_next_append(self) -> None:
        with answer("chat:7") as a:
            for n in range(1_000_000):
                if n == 3:
                    assert stop_answer(a.id)
                a.append(f"{n} ")
            raise AssertionError("it was not stopped")
        (data,) = shown()[0]
        assert data["state"] == "stopped"
        assert not stop_answer(a.id)

    def test_the_whole_text_is_handed_on_when_it_is_done(self) -> None:
        kept: list[str] = []
        with answer("chat:7", then=kept.append) as a:
            a.append("a")
            a.append("b")
        assert kept == ["ab"]
        with self.assertRaises(ZeroDivisionError), answer("chat:7", then=lambda text: 1 / 0) as a:
            a.append("c")
        assert [data["state"] for data in shown()[0]] == ["done", "failed"]

    def test_a_writer_that_is_gone_is_seen_as_such(self) -> None:
        handle = texts.begin(find("chat:7"), "text", {}, "")
        texts.grow(handle, "half of it", 0)
        with travel(seconds=texts.WRITER_LEASE - 1):
            assert shown()[0][0]["state"] == "writing"
        before = shown()[1]
        with travel(seconds=texts.WRITER_LEASE):
            pass
        (data,) = shown(before)[0]
        assert (data["text"], data["state"]) == ("half of it", "failed")
        with self.assertRaises(Over):  # should the writer come back, it is too late
            texts.grow(handle, " and more", 10)

    def test_who_writes_on_after_somebody_else_has_ended_the_text_is_stopped(self) -> None:
        with answer("chat:7") as a:
            a.append("too late")
            FeedText.objects.update(state="failed", lease_until=None)
            a.flush()
            assert a.stopped
            with self.assertRaises(Stopped):
                a.append("later still")
        assert shown()[0][0]["state"] == "failed"

    def test_what_somebody_else_has_ended_is_not_handed_on(self) -> None:
        kept: list[str] = []
        with answer("chat:7", then=kept.append) as a:
            a.append("too late")
            FeedText.objects.update(state="failed", lease_until=None)
        assert kept == []
        assert shown()[0][0]["state"] == "failed"

    def test_where_nobody_has_stored_that_it_is_gone_readers_see_it_too(self) -> None:
        handle = texts.begin(find("chat:7"), "text", {}, "")
        texts.grow(handle, "half of it", 0)
        FeedText.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
        ended = {"text": "half of it", "state": "failed", "error": "The writer is gone."}
        assert [shown()[0], present_events("chat:7")] == [[ended]] * 2
        assert FeedText.objects.get().state == "writing", "who reads changes nothing"

    def test_a_page_that_polls_is_told_that_the_writer_is_gone(self) -> None:
        texts.begin(find("chat:7"), "text", {}, "")
        FeedText.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
        self.client.force_login(make_user())
        query = {"feeds": "chat:7", "since": FEED.cursor(stream_key("chat:7"), shown()[1])}
        with patch.object(leases, "_looks", PerTenant(leases.Looks)):
            frames = self.client.get(reverse("notifications:changes"), query).json()["frames"]
        assert [event["data"]["state"] for frame in frames for event in frame.get("events", [])] == ["failed"]

    def test_wrong_use_is_explained(self) -> None:
        with self.assertRaisesMessage(ValidationError, "keeps nothing"), answer("live"):
            pass
        with self.assertRaisesMessage(ValidationError, "131072"), answer("chat:7") as a:
            a.append("x" * 131_073)

    def test_what_no_database_stores_is_replaced_for_the_writer_is_a_machine(self) -> None:
        with answer("chat:7") as a:
            a.append("a\x00b\udcff")
        assert shown()[0][0]["text"] == "a\ufffdb\ufffd"

    def test_a_stop_that_is_rolled_back_stops_nobody(self) -> None:
        with answer("chat:7") as a:
            with transaction.atomic():
                assert stop_answer(a.id)
                transaction.set_rollback(True)
            a.append("all of it")
        (data,) = shown()[0]
        assert (data["text"], data["state"]) == ("all of it", "done")

    def test_the_lease_is_renewed_while_the_writer_is_silent(self) -> None:
        with returned(texts, "keep_alive") as renewed, answer("chat:7") as a:
            first = FeedText.objects.get(pk=a.id).lease_until
            renewed.clear()
            assert renewed.wait(LIMIT)
            assert FeedText.objects.get(pk=a.id).lease_until != first


class AsyncTests(TransactionTestCase):
    async def test_tokens_become_few_writes(self) -> None:
        async with answer("chat:7") as a:
            for n in range(160):
                await a.append(f"{n} ")
                await asyncio.sleep(0)
        (data,) = (await sync_to_async(shown)())[0]
        assert data["text"] == "".join(f"{n} " for n in range(160))
        assert data["state"] == "done"
        stream = await FeedEvent.objects.select_related("feed").aget()
        assert stream.feed.head < 10

    async def test_a_stop_ends_a_writer_that_waits(self) -> None:
        writing = asyncio.Event()
        pks: list[int] = []

        async def write() -> str:
            async with answer("chat:7") as a:
                await a.append("so far")
                pks.append(a.id)
                writing.set()
                await asyncio.Event().wait()
            return "went on behind the block"

        task = asyncio.create_task(write())
        async with asyncio.timeout(LIMIT):
            await writing.wait()
            await astop_answer(pks[0])
            assert await task == "went on behind the block"
        (data,) = (await sync_to_async(shown)())[0]
        assert (data["text"], data["state"]) == ("so far", "stopped")

    async def test_a_stop_of_another_process_without_a_broker_is_found(self) -> None:
        async with asyncio.timeout(LIMIT):
            async with answer("chat:7") as a:
                await FeedText.objects.filter(pk=a.id).aupdate(stop_requested_at=timezone.now())
                await asyncio.Event().wait()
        (data,) = (await sync_to_async(shown)())[0]
        assert data["state"] == "stopped"

    async def test_a_task_that_is_cancelled_by_somebody_else_stays_cancelled(self) -> None:
        writing = asyncio.Event()

        async def write() -> None:
            async with answer("chat:7") as a:
                await a.append("so far")
                writing.set()
                await asyncio.Event().wait()

        task = asyncio.create_task(write())
        await writing.wait()
        task.cancel()
        with self.assertRaises(asyncio.CancelledError):
            await task
        (data,) = (await sync_to_async(shown)())[0]
        assert data["state"] == "failed"

    async def test_a_stop_that_the_last_flush_finds_ends_the_block_and_nothing_behind_it(self) -> None:
        with returned(texts, "grow") as stored:
            async with answer("chat:7") as a:
                await a.append("whole")
                await asyncio.to_thread(stored.wait, LIMIT)  # the next look is some time off
                await FeedText.objects.filter(pk=a.id).aupdate(stop_requested_at=timezone.now())
                await a.flush()
        await self.goes_on("stopped")

    async def test_a_stop_that_comes_as_the_block_ends_cancels_nothing_behind_it(self) -> None:
        async with answer("chat:7") as a:
            await a.append("whole")
            keeping.ask_to_stop(texts.work_of(a.id))
        await self.goes_on("stopped")

    async def test_a_block_that_goes_on_after_a_stop_leaves_no_cancellation_behind(self) -> None:
        async with answer("chat:7") as a:
            await a.append("whole")
            with suppress(asyncio.CancelledError):
                await astop_answer(a.id)
                await asyncio.Event().wait()
        await self.goes_on("stopped")

    async def goes_on(self, state: str) -> None:
        """Check what a text has become, and that this task is not cancelled."""
        task = asyncio.current_task()
        assert task is not None
        assert task.cancelling() == 0
        await asyncio.sleep(0)
        (data,) = (await sync_to_async(shown)())[0]
        assert (data["text"], data["state"]) == ("whole", state)

    async def test_who_is_cancelled_while_the_end_is_stored_stores_it_first(self) -> None:
        grow, storing, go_on = texts.grow, threading.Event(), threading.Event()

        def slow(*arguments: Any) -> bool:
            storing.set()
            go_on.wait(LIMIT)
            return grow(*arguments)

        async def write() -> None:
            async with answer("chat:7") as a:
                await a.append("whole")
                await asyncio.to_thread(storing.wait, LIMIT)

        with patch.object(texts, "grow", slow), returned(keeping, "forget") as ending:
            task = asyncio.create_task(write())
            await asyncio.to_thread(ending.wait, LIMIT)
            task.cancel()
            go_on.set()
            with self.assertRaises(asyncio.CancelledError):
                await task
        await self.goes_on("done")

    async def test_leaving_by_hand_is_stopping(self) -> None:
        async with answer("chat:7") as a:
            await a.append("enough")
            raise Stopped
        assert (await sync_to_async(shown)())[0][0]["state"] == "stopped"
