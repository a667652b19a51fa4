"""The test kit's `LiveClient`: an open page without a browser or a server."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from asgiref.sync import sync_to_async
from django.db import connection, transaction
from django.test import SimpleTestCase, TestCase, TransactionTestCase, override_settings
from django.utils import timezone, translation

from notifications.feeds import Latest, Log, Nothing, feed
from notifications.live import relay
from notifications.models import Notification
from notifications.services import (
    abroadcast,
    anotify,
    archive,
    arevoke_access,
    broadcast,
    mark_all_read,
    notify,
    publish,
    publish_many,
    withdraw,
)
from notifications.signals import notification_delivered
from notifications.testing import LiveClient, travel
from tests.factories import make_user
from tests.kinds.notices import Joined

if TYPE_CHECKING:
    Case = SimpleTestCase
else:
    Case = object  # what is derived from it runs on several of Django's test cases


def titles(page: Any) -> list[str]:
    return [item["title"] for item in page.items]


class AnyOpenPage(Case):
    """What holds with and without commits, over a stream and by polls."""

    transport: Any = "stream"

    def setUp(self) -> None:
        self.alice, self.bob = make_user("alice"), make_user("bob")

    def open(self, user: Any = None, **options: Any) -> LiveClient:
        return LiveClient(user or self.alice, transport=self.transport, **options)

    def test_it_shows_what_there_was_and_what_comes(self) -> None:
        notify(self.alice, "before")
        with self.open() as page:
            page.next("reset")
            assert (titles(page), page.unread, page.unseen) == (["before"], 1, 1)
            notify(self.alice, "later")
            assert [item["title"] for item in page.next("changes")["items"]] == ["later"]
            assert (titles(page), page.unread, page.unseen) == (["later", "before"], 2, 2)

    async def test_an_asynchronous_test_awaits_the_same(self) -> None:
        await anotify(self.alice, "before")
        async with self.open() as page:
            await page.next("reset")
            await anotify(self.alice, "later")
            await page.next("changes")
            assert titles(page) == ["later", "before"]

    def test_two_pages_are_open_at_once(self) -> None:
        with self.open() as first, self.open(self.bob) as other, self.open() as second:
            for page in (first, other, second):
                page.settled()
            notify(self.alice, "for alice")
            for page in (second, first):
                page.next("changes")
                assert titles(page) == ["for alice"]
            assert other.settled() == []

    async def test_two_pages_are_open_at_once_in_an_asynchronous_test(self) -> None:
        async with self.open() as page, self.open(self.bob) as other:
            await page.settled()
            await other.settled()
            await anotify(self.alice, "for alice")
            await page.next("changes")
            assert await other.settled() == []

    def test_what_the_user_does_elsewhere_is_seen(self) -> None:
        with self.open() as page:
            for title in ("read", "withdrawn", "archived"):
                notice = notify(self.alice, title)
                if title == "withdrawn":
                    withdraw(notice)
            page.settled()
            mark_all_read(self.alice)
            archive(self.alice, list(Notification.objects.filter(notice=notice).values_list("pk", flat=True)))
            page.settled()
            assert (titles(page), page.unread) == (["read"], 0)

    def test_cut_and_resumed_it_continues_where_it_was(self) -> None:
        with self.open() as page:
            page.settled()
            page.cut()
            notify(self.alice, "missed")
            page.resume()
            assert page.next("changes")["from"] != ""
            assert titles(page) == ["missed"]
            assert page.settled() == []

    def test_a_page_that_was_cut_hears_nothing(self) -> None:
        with self.open() as page:
            page.settled()
            page.cut()
            with pytest.raises(ConnectionError, match="not connected"):
                page.next()

    def test_what_expires_leaves_the_list_and_the_counts(self) -> None:
        notify(self.alice, "expires", expires_at=timezone.now() + timedelta(hours=1))
        with self.open() as page:
            page.settled()
            assert page.unread == 1
            with travel(hours=2):
                assert (titles(page), page.unread, page.unseen) == ([], 0, 0)

    def test_a_broadcast_arrives_also_one_that_falls_due(self) -> None:
        with self.open() as page:
            page.settled()
            broadcast("now", to="everyone")
            page.next("changes")
            broadcast("later", to="everyone", publish_at=timezone.now() + timedelta(minutes=30))
            assert page.settled() == []
            with travel(hours=1):
                page.next("changes")
            assert titles(page) == ["later", "now"]
            assert page.settled() == []

    async def test_a_broadcast_arrives_in_an_asynchronous_test(self) -> None:
        async with self.open() as page:
            await page.settled()
            await abroadcast("later", to="everyone", publish_at=timezone.now() + timedelta(minutes=30))
            async with travel(hours=1):
                await page.next("changes")
            assert await page.settled() == []

    def test_what_did_not_come_is_a_timeout_that_names_what_came(self) -> None:
        with self.open() as page:
            notify(self.alice, "Order 7 has shipped")
            page.next("changes")
            with pytest.raises(TimeoutError) as missing:
                page.next("changes", within=0.05)
        message = str(missing.value)
        assert message.startswith("No 'changes' came within 0.05 seconds. What came was: ")
        assert message.endswith("reset (no items), changes ('Order 7 has shipped').")

    def test_the_request_passes_the_sites_middleware(self) -> None:
        with (
            override_settings(MIDDLEWARE=["tests.test_live_client.closed_for_today"]),
            pytest.raises(ConnectionRefusedError, match=r"answered with 403: .*Closed"),
            self.open(),
        ):
            pass

    def test_it_is_signed_in_by_a_session_which_ends_with_the_access(self) -> None:
        with self.open() as page:
            page.settled()
            page.http.logout()
            page.cut()
            page.http.cookies.clear()
            with pytest.raises(ConnectionRefusedError, match=r"answered with 401: .*signed-out"):
                page.resume()

    def test_it_is_told_of_kinds_in_its_language(self) -> None:
        notify(self.alice, Joined(key="1"))
        with self.open(language="de") as page, self.open() as other:
            page.settled()
            notify(self.alice, Joined(key="2"))
            for one in (page, other):
                one.next("changes")
            assert titles(page) == ["Benutzer 2", "Benutzer 1"]
            assert titles(other) == ["User 2", "User 1"]

    def test_an_item_that_grows_is_on_top(self) -> None:
        with self.open() as page:
            page.settled()
            notify(self.alice, "Ann commented", kind="comment", group="post:7", actor=self.bob)
            notify(self.alice, "another")
            notify(self.alice, "Bob commented", kind="comment", group="post:7", actor=self.alice)
            page.settled()
            assert titles(page) == ["Bob commented", "another"]
            assert page.items[0]["group"]["events"] == 2

    def test_waiting_within_a_transaction_says_why_nothing_can_come(self) -> None:
        with self.open() as page:
            page.settled()
            with transaction.atomic():
                notify(self.alice, "not committed")
                with pytest.raises(RuntimeError, match=r"Leave transaction.atomic\(\) before you wait"):
                    page.next("changes")

    def test_the_tests_language_is_not_the_servers(self) -> None:
        with translation.override("de"), self.open() as page:
            page.settled()
            assert translation.get_language() == "de"


def closed_for_today(_get_response: Callable[..., Any]) -> Callable[..., Any]:
    from django.http import HttpResponseForbidden

    return lambda _request: HttpResponseForbidden("Closed for today")


class WithoutCommitTests(AnyOpenPage, TestCase):
    pass


class WithCommitTests(AnyOpenPage, TransactionTestCase):
    def test_what_a_thread_sends_arrives(self) -> None:
        def work() -> None:
            notify(self.alice, "from a thread")
            connection.close()

        with self.open() as page:
            page.settled()
            thread = threading.Thread(target=work)
            thread.start()
            page.next("changes")
            thread.join()
            assert titles(page) == ["from a thread"]

    def test_what_is_rolled_back_does_not_arrive(self) -> None:
        with self.open() as page:
            page.settled()
            with transaction.atomic():
                notify(self.alice, "dropped")
                transaction.set_rollback(True)
            assert page.settled() == []

    async def test_whoever_loses_access_is_told_goodbye(self) -> None:
        async with self.open() as page:
            await page.settled()
            await arevoke_access(self.alice)
            assert (await page.next("bye"))["reason"] == "revoked"
            with pytest.raises(ConnectionError, match=r"ended the connection.*bye \(revoked\)"):
                await page.next()

    def test_receivers_hear_what_was_delivered(self) -> None:
        heard: list[Any] = []

        def remember(sender: Any, recipient: Any, notifications: Any, **kwargs: Any) -> None:
            heard.extend(notifications)

        notification_delivered.connect(remember)
        self.addCleanup(notification_delivered.disconnect, remember)
        with self.open() as page:
            page.settled()
            notify(self.alice, "hello")
            page.next("changes")
            page.settled()
            assert heard == [page.items[0]["id"]]


class PollingWithoutCommitTests(AnyOpenPage, TestCase):
    transport = "polling"


class PollingTests(AnyOpenPage, TransactionTestCase):
    transport = "polling"


@pytest.mark.django_db
class TestFeeds:
    @pytest.fixture(autouse=True)
    def declared(self, own_feeds: None) -> None:
        feed("orders:{pk:int}", keep=Log(count=10))(lambda user, pk: user.is_authenticated)
        feed("prices", keep=Latest(key="symbol"), public=True)(lambda user: True)
        feed("secret", keep=Log(count=10))(lambda user: False)

    @pytest.mark.parametrize("transport", ["stream", "polling"])
    def test_a_page_follows_feeds_from_the_beginning(self, transport: Any) -> None:
        publish("orders:42", {"state": "packed"})
        with LiveClient(make_user(), feeds=["orders:42", "secret"], transport=transport) as page:
            page.settled()
            assert [event["data"] for event in page.events("orders:42")] == [{"state": "packed"}]
            publish("orders:42", {"state": "sent"})
            page.next("feed")
            assert [event["data"]["state"] for event in page.events("orders:42")] == ["packed", "sent"]
            assert page.settled() == []
            page.cut()
            publish("orders:42", {"state": "delivered"})
            page.resume()
            page.next("feed")
            assert [event["data"]["state"] for event in page.events("orders:42")] == ["packed", "sent", "delivered"]

    def test_an_open_page_follows_more_and_lets_go(self) -> None:
        with LiveClient(make_user()) as page:
            page.settled()
            page.follow("orders:42")
            assert page.next("feed.status")["state"] == "live"
            assert page.next("feed.reset")["events"] == []
            publish("orders:42", {"state": "packed"})
            page.next("feed")
            assert [event["data"]["state"] for event in page.events("orders:42")] == ["packed"]
            page.unfollow("orders:42")
            publish("orders:42", {"state": "sent"})
            assert page.settled() == []

    def test_a_visitor_follows_what_is_public_and_sees_the_latest_values(self) -> None:
        with LiveClient(None, feeds=["prices", "orders:42"]) as page:
            assert page.next("feed.status") == {
                "type": "feed.status",
                "feed": "orders:42",
                "state": "denied",
                "message": "",
            }
            publish_many(
                [("prices", {"symbol": symbol, "price": price}) for symbol, price in [("A", 1), ("B", 2), ("A", 3)]]
            )
            page.settled()
            assert [event["data"]["price"] for event in page.events("prices")] == [2, 3]


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("own_feeds")
def test_an_event_that_nothing_keeps_arrives_while_it_is_published() -> None:
    feed("cursor", keep=Nothing())(lambda user: True)
    with LiveClient(make_user(), feeds=["cursor"]) as page:
        page.settled()
        publish("cursor", {"x": 1})
        assert page.next("feed")["events"][0]["data"] == {"x": 1}


class LoopTests(TransactionTestCase):
    async def test_the_last_page_leaves_the_loop_as_it_was(self) -> None:
        alice = await sync_to_async(make_user)()
        before = asyncio.all_tasks()
        async with LiveClient(alice), LiveClient(alice):
            assert relay.serves(asyncio.get_running_loop())
        assert not relay.serves(asyncio.get_running_loop())
        assert asyncio.all_tasks() == before

    async def test_a_page_joins_what_serves_the_loop_already(self) -> None:
        alice = await sync_to_async(make_user)()
        there = relay.current()
        async with LiveClient(alice) as page:
            await page.next("reset")
            await anotify(alice, "hello")
            await page.next("changes")
        assert relay.current() is there
        await there.stop()

    def test_within_a_running_loop_the_synchronous_form_says_what_to_do(self) -> None:
        alice = make_user()

        async def forget() -> None:
            with LiveClient(alice):
                pass

        with pytest.raises(RuntimeError, match="async with LiveClient"):
            asyncio.run(forget())
