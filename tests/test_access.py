"""Open connections end when the access of their user ends: by a hint at once, and by the next round without one."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any
from unittest.mock import patch

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth import SESSION_KEY, get_user_model, login
from django.contrib.auth.models import Group, Permission
from django.core.cache.backends.locmem import LocMemCache
from django.db import transaction
from django.test import TestCase, TransactionTestCase, override_settings

from notifications import services
from notifications.broadcasts.results import STREAM, still_permitted
from notifications.chat.stream import still_members
from notifications.live import access, relay, sessions
from notifications.live.connections import EVENT_STREAM
from notifications.live.cursor import Position
from notifications.live.hub import Connection, Message
from notifications.live.identity import Identity
from notifications.live.streams import Key
from notifications.models import Inbox, Membership, Room
from notifications.services import create_room, revoke_access
from notifications.signals import access_revoked
from tests.access_events import BEHIND, HINTED, Event, deactivate, deactivate_behind, request_of
from tests.chatting import Client
from tests.factories import make_session, make_user

User = get_user_model()
ENGINES = ("db", "cached_db", "cache", "file")
ONCE = override_settings(NOTIFICATIONS_RECHECK=3600)  # no round: what happens, a hint has done
ROUNDS = override_settings(NOTIFICATIONS_RECHECK=0.05)  # seconds


class ConnectionTests(TransactionTestCase):
    """What ends a user's connections, and that it ends nobody else's."""

    def setUp(self) -> None:
        self.bob, self.carol = make_user("bob", password="x"), make_user("carol", password="x")
        self.session = make_session(self.bob)

    async def ends(self, event: Event, reason: str, code: int) -> None:
        carols = await sync_to_async(make_session)(self.carol)
        async with Client(self.carol, session=carols) as carol:
            bob = Client(self.bob, session=self.session)
            await bob.connect()
            await sync_to_async(event)(self.bob, self.session)
            bye = await bob.next("bye")
            assert bye["reason"] == reason
            assert await bob.closed() == code
            assert (await carol.send("ping"))["type"] == "ack"

    async def test_what_django_tells_of_ends_them_without_waiting_for_a_round(self) -> None:
        with ONCE:
            for event, (reason, code) in HINTED.items():
                with self.subTest(event=event.__name__):
                    await sync_to_async(self.begin_anew)()
                    await self.ends(event, reason, code)

    async def test_what_nobody_tells_of_a_round_finds(self) -> None:
        with ROUNDS:
            for event in BEHIND:
                with self.subTest(event=event.__name__):
                    await sync_to_async(self.begin_anew)()
                    await self.ends(event, "reauthenticate", 1000)

    def begin_anew(self) -> None:
        """Begin anew with other users."""
        User._default_manager.all().delete()
        self.setUp()

    async def test_a_change_that_is_rolled_back_ends_nothing(self) -> None:
        def roll_back() -> None:
            with transaction.atomic():
                deactivate(self.bob, self.session)
                revoke_access(self.bob)
                transaction.set_rollback(True)

        with ONCE:
            async with Client(self.bob, session=self.session) as bob:
                await sync_to_async(roll_back)()
                assert (await bob.send("ping"))["type"] == "ack"

    async def test_a_sign_in_or_an_ordinary_save_ends_nothing(self) -> None:
        def touch() -> None:
            self.bob.save()
            login(request_of(self.session), self.bob, "django.contrib.auth.backends.ModelBackend")

        with ROUNDS:
            async with Client(self.bob) as bob:
                await sync_to_async(touch)()
                for _round in range(3):
                    await relay.current().run(access.judge, [], {})
                assert (await bob.send("ping"))["type"] == "ack"

    async def test_a_connection_that_was_decided_before_the_hint_and_opens_after_it_is_looked_at(self) -> None:
        with ONCE:
            relay.current()
            await sync_to_async(deactivate_behind)(self.bob, self.session)
            relay.recheck([str(self.bob.pk)])
            bob = Client(self.bob, session=self.session)
            connected, _subprotocol = await bob.socket.connect(10)
            assert connected
            assert await bob.closed() == 1000

    async def test_a_user_without_a_session_is_asked_about_all_the_same(self) -> None:
        with ROUNDS:
            bob = Client(self.bob)
            await bob.connect()
            await sync_to_async(deactivate_behind)(self.bob, None)
            assert (await bob.next("bye"))["reason"] == "reauthenticate"

    async def test_who_may_no_longer_sign_in_can_post_nothing_and_is_sent_away(self) -> None:
        commands: dict[str, dict[str, Any]] = {
            "message.send": {"id": "7b0d2c1e-0c51-4c0f-8d6f-2f1e7a5b9c3d", "body": "too late"},
            "history": {},
            "inbox.open": {},
        }
        with ONCE:
            for name, fields in commands.items():
                with self.subTest(command=name):
                    await sync_to_async(self.begin_anew)()
                    room = await sync_to_async(create_room)("Project", by=self.carol, members=[self.bob])
                    if name != "inbox.open":
                        fields["room"] = room.pk
                    bob = Client(self.bob, session=self.session)
                    await bob.connect()
                    await sync_to_async(deactivate_behind)(self.bob, None)
                    await bob.socket.send_to(text_data=json.dumps({"type": name, "ref": 1, **fields}))
                    assert (await bob.next("bye"))["reason"] == "reauthenticate"
                    assert not [frame for frame in bob.frames if frame["type"] in ("ack", "nack", "message")]
        assert not await Room.objects.filter(last_number__gt=0).aexists()

    async def test_a_membership_that_goes_without_an_event_ends_the_subscription(self) -> None:
        room = await sync_to_async(create_room)("Project", by=self.carol, members=[self.bob])
        with ROUNDS:
            async with Client(self.bob) as bob, Client(self.carol) as carol:
                for client in (bob, carol):
                    assert (await client.send("room.open", room=room.pk))["type"] == "ack"
                    await client.next("reset")
                await Membership.objects.filter(room=room, user=self.bob).adelete()
                assert (await bob.next("room"))["event"] == "removed"
                await carol.say(room, "We are alone now.")
                await carol.hears("We are alone now.")
                assert await bob.silent()


class JudgeTests(TestCase):
    """The decision itself, for many connections at once."""

    def identity(self, name: str) -> Identity:
        user = make_user(name, password="x")
        return sessions.identity(user, make_session(user))

    def test_it_takes_three_queries_however_many_connections_there_are(self) -> None:
        identities = [self.identity(f"user{number}") for number in range(20)]
        with self.assertNumQueries(3):
            assert access.judge(identities, {}).ended == {}

    def test_the_rooms_that_are_listened_to_take_one_more(self) -> None:
        users = [make_user(f"user{number}") for number in range(6)]
        rooms = [create_room("Project", by=user, members=users[:3]) for user in users]
        listeners = {str(room.pk): {str(user.pk) for user in users} for room in rooms}
        with self.assertNumQueries(1):
            allowed = still_members(listeners)
        members = {str(user.pk) for user in users[:3]}
        for user, room in zip(users, rooms, strict=True):
            assert allowed[str(room.pk)].owners == members | {str(user.pk)}

    def test_a_backend_that_lets_the_inactive_in_is_believed(self) -> None:
        user = make_user("idle", is_active=False)
        assert not access.may_sign_in(user)
        with override_settings(AUTHENTICATION_BACKENDS=["django.contrib.auth.backends.AllowAllUsersModelBackend"]):
            assert access.may_sign_in(user)

    def test_the_session_of_another_user_is_none(self) -> None:
        alice, bob = self.identity("alice"), self.identity("bob")
        for engine in ENGINES[1:]:
            with self.subTest(engine=engine), engine_of(engine):
                store = stored(alice.owner)
                assert sessions.alive({store.session_key: alice.owner}) == {store.session_key}
                if engine != "cached_db":
                    assert sessions.alive({store.session_key: bob.owner}) == set()

    def test_each_engine_knows_which_sessions_are_there(self) -> None:
        owner = str(make_user("alice").pk)
        for engine in ENGINES:
            with self.subTest(engine=engine), engine_of(engine):
                here, gone = stored(owner), stored(owner)
                gone.delete()
                assert sessions.alive({here.session_key: owner, gone.session_key: owner}) == {here.session_key}

    def test_sessions_in_signed_cookies_are_not_asked_for(self) -> None:
        user = make_user("alice")
        session = make_session(user)
        with engine_of("signed_cookies"):
            assert sessions.identity(user, session).session == ""

    def test_a_cache_that_is_down_ends_nobodys_connection(self) -> None:
        owner = str(make_user("alice").pk)
        dead = override_settings(CACHES={"default": {"BACKEND": "tests.test_access.DeadCache"}})
        with engine_of("cache"):
            here = stored(owner)
            with dead, pytest.raises(ConnectionError):
                sessions.alive({here.session_key: owner})

    def test_a_session_by_which_nobody_is_signed_in_does_not_count(self) -> None:
        session = make_session(make_user("alice"))
        del session[SESSION_KEY]
        assert sessions.identity(make_user("bob"), session).session == ""

    def test_an_identity_does_not_show_its_session(self) -> None:
        identity = self.identity("alice")
        assert identity.session
        assert identity.session not in repr(identity)


def engine_of(name: str) -> override_settings:
    return override_settings(SESSION_ENGINE=f"django.contrib.sessions.backends.{name}")


class DeadCache(LocMemCache):
    """A cache whose server is gone."""

    def get_many(self, keys: Any, version: Any = None) -> Any:
        raise ConnectionError("The cache does not answer.")


def stored(owner: str) -> Any:
    """Store a session by which `owner` is signed in, with the engine of the settings."""
    store = sessions._store()()
    store[SESSION_KEY] = owner
    store.create()
    store.save()
    return store


class PermissionTests(TransactionTestCase):
    """The stream of a broadcast's results, which asks for a permission."""

    def setUp(self) -> None:
        self.permission = Permission.objects.get(codename="view_broadcast")
        self.group = Group.objects.create(name="editors")
        self.group.permissions.add(self.permission)
        self.staff = make_user("staff", is_staff=True)
        self.staff.groups.add(self.group)

    def allowed(self) -> bool:
        owner = str(self.staff.pk)
        return owner in still_permitted({"1": {owner}})["1"].owners

    def test_it_is_asked_for_as_the_admin_does(self) -> None:
        assert self.allowed()
        User._default_manager.filter(pk=self.staff.pk).update(is_staff=False)
        assert not self.allowed()

    async def test_its_loss_ends_the_stream_at_once(self) -> None:
        losses: list[Callable[[], object]] = [
            lambda: self.staff.groups.remove(self.group),
            lambda: self.staff.groups.clear(),
            lambda: self.group.user_set.remove(self.staff),
            lambda: self.group.user_set.clear(),
            lambda: self.group.permissions.remove(self.permission),
            lambda: self.group.permissions.clear(),
            lambda: User.objects.get(pk=self.staff.pk).delete(),
        ]
        for number, loss in enumerate(losses):
            with self.subTest(loss=number), ONCE:
                await sync_to_async(self.group.permissions.add)(self.permission)
                await sync_to_async(self.staff.groups.add)(self.group)
                ended = Listener(self.staff)
                try:
                    await sync_to_async(loss)()
                    await ended.wait()
                    assert ended.connection.closed == "reauthenticate"
                finally:
                    relay.current().hub.remove(ended.connection)


class Listener:
    """A connection of a user that listens to results and says when it was ended."""

    def __init__(self, user: Any) -> None:
        self.ended = asyncio.Event()
        self.connection = Connection("staff", self.write, EVENT_STREAM, self.ended.set, sessions.identity(user, None))
        hub = relay.current().hub
        hub.add(self.connection)
        hub.attach(self.connection, Key(STREAM, "1"), Position("", 0))

    async def write(self, message: Message) -> None:
        """Take a message."""

    async def wait(self) -> None:
        async with asyncio.timeout(10):
            await self.ended.wait()


class RevokeTests(TransactionTestCase):
    def test_the_signal_tells_of_it_after_the_commit(self) -> None:
        user = make_user("alice")
        heard: list[tuple[Any, str]] = []

        def hear(sender: Any, user: Any, reason: str, **kwargs: Any) -> None:
            heard.append((user, reason))

        access_revoked.connect(hear)
        self.addCleanup(access_revoked.disconnect, hear)
        with transaction.atomic():
            revoke_access(user, reason="lost phone")
            assert heard == []
        assert heard == [(user.pk, "lost phone")]
        revoke_access(user.pk)
        assert heard[1:] == [(user.pk, "")]

    def test_a_user_that_was_not_saved_is_refused(self) -> None:
        with pytest.raises(ValueError, match="was not saved yet"):
            revoke_access(User())

    async def test_a_process_that_no_message_reaches_finds_it_in_its_round(self) -> None:
        user, other = await sync_to_async(make_user)("alice"), await sync_to_async(make_user)("bob")
        with ROUNDS, patch("notifications.live.relay.revoke"):
            async with Client(other) as bob:
                alice = Client(user)
                await alice.connect()
                await services.arevoke_access(user)
                assert (await alice.next("bye"))["reason"] == "revoked"
                assert (await bob.send("ping"))["type"] == "ack"
                async with Client(user) as again:  # a page that was loaded afterwards
                    await relay.current().run(access.judge, [], {})
                    assert (await again.send("ping"))["type"] == "ack"

    def test_a_user_that_is_gone_is_no_error(self) -> None:
        revoke_access(987_654_321)
        assert not Inbox.objects.exists()

    async def test_the_twin_does_the_same(self) -> None:
        user = await sync_to_async(make_user)("alice")
        async with Client(user) as alice:
            await services.arevoke_access(user)
            assert (await alice.next("bye"))["retry"] is None
