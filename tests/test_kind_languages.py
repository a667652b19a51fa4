"""Live: each connection hears of kinds in its own language, over every transport, live and when it catches up."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import Group, User
from django.test import TransactionTestCase
from django.utils import translation

from notifications.inbox.stream import INBOX
from notifications.live import relay
from notifications.live.connections import EVENT_STREAM
from notifications.live.cursor import Position
from notifications.live.hub import Connection
from notifications.models import Inbox, Notification
from notifications.services import anotify, notify
from tests.chatting import Client
from tests.factories import make_user, tell
from tests.kinds.notices import Joined, Named
from tests.servers.process import ServerProcess
from tests.streaming import EventStream, connect, cookies

Start = Callable[..., ServerProcess]

SEVEN = {"en": "User 7", "de": "Benutzer 7", "ar": "المستخدم 7"}


class ConnectionTests(TransactionTestCase):
    """In one process, where the thread that writes also reads."""

    def setUp(self) -> None:
        self.alice = make_user()
        tell(self.alice, "The first")
        self.start = Position(Inbox.objects.get().epoch, Inbox.objects.get().head)

    def end(self) -> None:
        relay._relays.pop(asyncio.get_running_loop()).close()

    def listen(self, language: str, position: Position | None = None) -> asyncio.Queue[Any]:
        """Open a connection in a language; return what it will receive."""
        received: asyncio.Queue[Any] = asyncio.Queue()
        connection = Connection("test", received.put, EVENT_STREAM, lambda: None, language=language)
        hub = relay.current().hub
        hub.add(connection)
        hub.attach(connection, INBOX.key(self.alice.pk), position or self.start)
        return received

    async def heard(self, received: asyncio.Queue[Any]) -> list[str]:
        """Wait for the next message; return the titles in it."""
        async with asyncio.timeout(10):
            message = await received.get()
        events = [line[6:] for line in message["body"].split(b"\n") if line.startswith(b"data: ")]
        return [item["title"] for event in events for item in json.loads(event)["items"]]

    async def test_two_connections_of_one_user_hear_their_own_language(self) -> None:
        german, arabic = self.listen("de"), self.listen("ar")
        with translation.override("en"):  # the sender's
            await anotify(self.alice, Joined(key="7"))
        self.assertEqual(await self.heard(german), [SEVEN["de"]])
        self.assertEqual(await self.heard(arabic), [SEVEN["ar"]])
        self.end()

    async def test_one_that_comes_late_catches_up_in_its_language(self) -> None:
        german = self.listen("de")
        await anotify(self.alice, Joined(key="7"))
        self.assertEqual(await self.heard(german), [SEVEN["de"]])
        arabic, again = self.listen("ar"), self.listen("de")  # from before it: the one is read, the other remembered
        self.assertEqual(await self.heard(arabic), [SEVEN["ar"]])
        self.assertEqual(await self.heard(again), [SEVEN["de"]])
        await anotify(self.alice, Joined(key="8"))
        self.assertEqual(
            [await self.heard(one) for one in (german, arabic, again)],
            [["Benutzer 8"], ["المستخدم 8"], ["Benutzer 8"]],
        )
        self.end()

    async def test_a_snapshot_is_told_to_each_in_their_language(self) -> None:
        await sync_to_async(tell)(self.alice, Joined(key="7"))
        german, arabic = (self.listen(language, Position("elsewhere", 3)) for language in ("de", "ar"))
        self.assertEqual(await self.heard(german), [SEVEN["de"], "The first"])
        self.assertEqual(await self.heard(arabic), [SEVEN["ar"], "The first"])
        self.end()

    def test_a_read_of_many_inboxes_in_many_languages_fetches_references_once(self) -> None:
        bob, group = make_user("bob"), Group.objects.create(name="Bells")
        tell(bob, "The first")
        positions = {inbox.user_id: Position(inbox.epoch, inbox.head) for inbox in Inbox.objects.all()}
        for user in (self.alice, bob):
            tell(user, Named(group=group))
        languages = dict(zip(positions, [("de", "ar"), ("en",)], strict=True))
        with self.assertNumQueries(5):  # heads, rows, notices, counts, groups
            batches = relay._read(INBOX, positions, languages)
        told = {key: sorted(batch.translated or ()) for key, batch in batches.items()}
        self.assertEqual(told, {key: sorted(wanted) for key, wanted in languages.items()})

    async def test_a_socket_takes_the_language_of_the_page_with_its_inbox(self) -> None:
        async with Client(self.alice) as alice:
            await alice.send("inbox.open", since=None, language="de")
            await alice.next("reset")
            await anotify(self.alice, Joined(key="7"))
            self.assertEqual((await alice.next("changes"))["items"][0]["title"], SEVEN["de"])
            await alice.send("inbox.open", since=None, language="ar")
            self.assertEqual((await alice.next("reset"))["items"][0]["title"], SEVEN["ar"])
            await anotify(self.alice, Joined(key="8"))
            self.assertEqual((await alice.next("changes"))["items"][0]["title"], "المستخدم 8")


def in_language(language: str) -> dict[str, str]:
    return {"Accept-Language": language}


@pytest.fixture
def alice(transactional_db: None) -> User:
    return User.objects.create_user("alice")


@pytest.mark.parametrize("application", ["project.asgi:application", "tests.plain_asgi:application"])
def test_two_streams_of_one_user_tell_each_in_its_language(application: str, asgi_server: Start, alice: User) -> None:
    server = asgi_server(settings="tests.live_settings", env={"CASE": "kinds"}, application=application)
    cookie = cookies(alice)
    with (
        EventStream(server.url, cookie, **in_language("de")) as german,
        EventStream(server.url, cookie, **in_language("ar")) as arabic,
    ):
        german.next("reset")
        position = arabic.next("reset")["cursor"]
        notify(alice, Joined(key="7"))
        assert german.titles(1) == [SEVEN["de"]]
        assert arabic.titles(1) == [SEVEN["ar"]]
        notify(alice, "plain")
        assert (german.titles(1), arabic.titles(1)) == (["plain"], ["plain"])
    for language in ("de", "ar"):
        with EventStream(server.url, cookie, position, **in_language(language)) as stream:
            assert stream.titles(2) == [SEVEN[language], "plain"]


def test_a_page_is_answered_in_its_own_language_whatever_its_browser_asks_for(asgi_server: Start, alice: User) -> None:
    server = asgi_server(settings="tests.live_settings", env={"CASE": "kinds"})
    cookie = cookies(alice)
    page = {**in_language("de"), "Carillon-Language": "ar"}
    with EventStream(server.url, f"{cookie}; django_language=de", **page) as stream:
        position = stream.next("reset")["cursor"]
        notify(alice, Joined(key="7"))
        assert stream.titles(1) == [SEVEN["ar"]]
    [pk] = Notification.objects.values_list("pk", flat=True)
    for path in ("api/inbox/", f"api/changes/?since={position}"):
        answer = fetched(server, f"/notifications/{path}", {"Cookie": cookie, **page})
        items = answer["items"] if "items" in answer else answer["frames"][0]["items"]
        assert [(item["id"], item["title"]) for item in items] == [(pk, SEVEN["ar"])]
    with ThreadPoolExecutor(1) as pool:  # a poll that is held, if it is not late
        path = f"/notifications/api/changes/?since={answer['frames'][-1]['to']}&wait=20"
        held = pool.submit(fetched, server, path, {"Cookie": cookie, **page})
        with EventStream(server.url, cookie) as stream:
            stream.next("reset")
            notify(alice, Joined(key="8"))
        assert held.result(20)["frames"][0]["items"][0]["title"] == "المستخدم 8"


def fetched(server: ServerProcess, path: str, headers: dict[str, str]) -> Any:
    connection = connect(server.url)
    try:
        connection.request("GET", path, headers=headers)
        return json.load(connection.getresponse())
    finally:
        connection.close()
