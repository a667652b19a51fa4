"""Hints between processes on a real broker, and what happens when they are lost."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import override_settings
from django.utils import timezone

import project.feeds  # noqa: F401  # declares what the servers' demo follows
from notifications.live.broker import group
from notifications.models import Inbox, Notification
from notifications.services import notify, revoke_access, snooze
from tests.servers.process import ServerProcess
from tests.servers.valkey import Valkey
from tests.streaming import EventStream, cookies

Start = Callable[..., ServerProcess]

LAYERS = {"channel layer": "", "pub/sub layer": "pubsub"}
PUT_OFF = timedelta(seconds=1)
AT_ONCE = 5.0  # seconds; comparing with the database, which is 30 s apart with a broker, cannot explain it


@pytest.fixture
def alice(transactional_db: None) -> User:
    return User.objects.create_user("alice")


@pytest.fixture(params=LAYERS)
def two_servers(
    request: pytest.FixtureRequest, asgi_server: Start, valkey: Valkey
) -> Iterator[tuple[ServerProcess, ServerProcess]]:
    """Start two server processes on one broker; this process, a third, sends through the same kind of layer."""
    case = LAYERS[request.param]
    backend = "channels_redis.pubsub.RedisPubSubChannelLayer" if case else "channels_redis.core.RedisChannelLayer"
    layer = {"BACKEND": backend, "CONFIG": {"hosts": [{"address": valkey.url, "socket_timeout": None}]}}
    first, second = (
        asgi_server(settings="tests.live_settings", redis_url=valkey.url, env={"CASE": case}) for _ in range(2)
    )
    with override_settings(CHANNEL_LAYERS={"default": layer}):
        yield first, second


def test_a_third_process_reaches_the_streams_of_two_servers_at_once(
    two_servers: tuple[ServerProcess, ServerProcess], alice: User
) -> None:
    with streams_of_both(two_servers, alice) as (one, two):
        began = time.monotonic()
        notify(alice, "from a third process")
        assert one.titles(1) == ["from a third process"]
        assert two.titles(1) == ["from a third process"]
        assert time.monotonic() - began < AT_ONCE


def test_what_a_third_process_puts_off_comes_in_time_though_the_servers_look_seldom(
    two_servers: tuple[ServerProcess, ServerProcess], alice: User
) -> None:
    with streams_of_both(two_servers, alice) as (one, two):
        due = timezone.now() + PUT_OFF
        notify(alice, "in a second", send_at=due)
        assert one.titles(1) == two.titles(1) == ["in a second"]
        assert timedelta() <= timezone.now() - due < timedelta(seconds=AT_ONCE)
        [pk] = Notification.objects.filter(notice__title="in a second").values_list("pk", flat=True)
        due = timezone.now() + PUT_OFF
        snooze(alice, [pk], due)
        assert one.titles(2) == two.titles(2) == ["in a second"] * 2  # that it sleeps, and that it is back
        assert timedelta() <= timezone.now() - due < timedelta(seconds=AT_ONCE)


def test_a_third_process_ends_that_a_user_follows_one_feed(
    two_servers: tuple[ServerProcess, ServerProcess], alice: User
) -> None:
    User.objects.update(is_staff=True)
    path = "/notifications/stream/?feeds=log:build"
    with (
        EventStream(two_servers[0].url, cookies(alice), path=path) as one,
        EventStream(two_servers[1].url, cookies(alice), path=path) as two,
    ):
        for stream in (one, two):
            assert stream.next("feed.status")["state"] == "live"
        joined(two_servers, alice, one, two)
        User.objects.update(is_staff=False)  # of which Django tells nobody
        began = time.monotonic()
        revoke_access(alice, feed="log:build")
        assert one.next("feed.status")["state"] == "denied"
        assert two.next("feed.status")["state"] == "denied"
        notify(alice, "this goes on")
        assert one.titles(1) == two.titles(1) == ["this goes on"]
        assert time.monotonic() - began < AT_ONCE


@contextmanager
def streams_of_both(
    servers: tuple[ServerProcess, ServerProcess], alice: User
) -> Iterator[tuple[EventStream, EventStream]]:
    """Open a stream at each server, and wait until both listen to the broker."""
    cookie = cookies(alice)
    with EventStream(servers[0].url, cookie) as one, EventStream(servers[1].url, cookie) as two:
        one.next("reset")
        two.next("reset")
        joined(servers, alice, one, two)
        yield one, two


def joined(servers: tuple[ServerProcess, ...], alice: User, *streams: EventStream) -> None:
    """Return when both servers listen to the broker, as the arrival of a first notification shows."""
    notify(alice, "are you there?")
    for stream in streams:
        stream.titles(1)


def test_a_process_subscribes_once_however_many_streams_it_has(
    two_servers: tuple[ServerProcess, ServerProcess], valkey: Valkey, alice: User
) -> None:
    cookie = cookies(alice)
    streams = [EventStream(server.url, cookie) for server in two_servers for _ in range(10)]
    for stream in streams:
        stream.next("reset")
    joined(two_servers, alice, *streams)
    subscriptions = subscribers(valkey)
    for stream in streams:
        stream.close()
    assert subscriptions == len(two_servers)


def subscribers(valkey: Valkey) -> int:
    """Count the members of our group, by whichever way the layer keeps them."""
    import redis

    with redis.Redis.from_url(valkey.url, decode_responses=True) as client:
        members = client.zcard(f"asgi:group:{group()}")
        channels: Any = client.pubsub_numsub(f"asgi__group__{group()}")
    return int(members) or sum(count for _channel, count in channels)


def test_two_sites_on_one_broker_do_not_hear_each_other(asgi_server: Start, valkey: Valkey, alice: User) -> None:
    import redis

    layer = {
        "BACKEND": "channels_redis.core.RedisChannelLayer",
        "CONFIG": {"hosts": [{"address": valkey.url, "socket_timeout": None}]},
    }
    ours = asgi_server(settings="tests.live_settings", redis_url=valkey.url)
    theirs = asgi_server(settings="tests.live_settings", redis_url=valkey.url, env={"SITE": "another"})
    cookie = cookies(alice)
    with (
        override_settings(CHANNEL_LAYERS={"default": layer}),
        EventStream(ours.url, cookie) as one,
        EventStream(theirs.url, cookie) as two,
        redis.Redis.from_url(valkey.url) as client,
    ):
        one.next("reset")
        two.next("reset")
        joined((ours,), alice, one)
        revoke_access(alice)
        assert one.next("bye")["reason"] == "revoked"
        with override_settings(NOTIFICATIONS_SITE="another"):
            notify(alice, "of the other site")
            assert two.titles(2)[-1] == "of the other site"
            revoke_access(alice)
        assert two.next("bye")["reason"] == "revoked"
        assert len(client.keys("asgi:group:*")) == 2


def test_a_lost_hint_costs_a_delay_and_no_notification(asgi_server: Start, valkey: Valkey, alice: User) -> None:
    server = asgi_server(settings="tests.live_settings", redis_url=valkey.url, env={"RECONCILE": "2"})
    with EventStream(server.url, cookies(alice)) as stream:
        stream.next("reset")
        notify(alice, "sent without the broker")  # this process has no channel layer: no hint leaves it
        assert stream.titles(1) == ["sent without the broker"]


def test_a_broker_that_dies_and_returns_loses_nothing(asgi_server: Start, valkey: Valkey, alice: User) -> None:
    server = asgi_server(settings="tests.live_settings", redis_url=valkey.url, env={"RECONCILE": "2"})
    layer = {
        "BACKEND": "channels_redis.core.RedisChannelLayer",
        "CONFIG": {"hosts": [{"address": valkey.url, "socket_timeout": None}]},
    }
    with override_settings(CHANNEL_LAYERS={"default": layer}), EventStream(server.url, cookies(alice)) as stream:
        stream.next("reset")
        valkey.kill()
        notify(alice, "while the broker is down")
        assert stream.titles(1) == ["while the broker is down"]
        valkey.start()
        notify(alice, "when it is back")
        assert stream.titles(1) == ["when it is back"]


def test_rows_of_a_producer_that_was_killed_before_its_hook_arrive(asgi_server: Start, alice: User) -> None:
    server = asgi_server()
    with EventStream(server.url, cookies(alice)) as stream:
        stream.next("reset")
        notice = notify([], "stored by hand")
        Notification.objects.create(recipient=alice, notice=notice)
        assert stream.titles(1) == ["stored by hand"]
    assert Inbox.objects.get(user=alice).head > 0


def test_a_restored_backup_gives_a_fresh_snapshot(asgi_server: Start, alice: User) -> None:
    server = asgi_server()
    cookie = cookies(alice)
    notify(alice, "kept")
    notify(alice, "lost with the backup")
    with EventStream(server.url, cookie) as stream:
        position = stream.next("reset")["cursor"]
    server.kill()  # as the guide says: a process that still had the stream would give it another epoch
    Notification.objects.filter(notice__title="lost with the backup").delete()
    Inbox.objects.filter(user=alice).update(head=1)
    server.start()
    with EventStream(server.url, cookie, position) as stream:
        reset = stream.next("reset")
        assert reset["reason"] == "ahead"
        assert [item["title"] for item in reset["items"]] == ["kept"]


def test_a_standby_that_lacks_the_last_commits_gives_open_streams_a_fresh_snapshot(
    asgi_server: Start, alice: User
) -> None:
    server = asgi_server()
    notify(alice, "kept")
    notify(alice, "lost")
    with EventStream(server.url, cookies(alice)) as stream:
        stream.next("reset")
        Notification.objects.filter(notice__title="lost")._raw_delete("default")  # as no application would
        Inbox.objects.filter(user=alice).update(head=1)
        reset = stream.next("reset")
        assert (reset["reason"], [item["title"] for item in reset["items"]]) == ("epoch", ["kept"])
        notify(alice, "new")
        assert stream.titles(1) == ["new"]
    assert "The database has lost commits" in server.output()


def test_kill_9_and_restart_bring_what_was_missed_once_and_in_order(asgi_server: Start, alice: User) -> None:
    server = asgi_server()
    cookie = cookies(alice)
    with EventStream(server.url, cookie) as stream:
        position = stream.next("reset")["cursor"]
        server.kill()
        with pytest.raises((EOFError, ConnectionError)):
            stream.next()
    sent = [f"missed {number}" for number in range(3)]
    for title in sent:
        notify(alice, title)
    server.start()
    with EventStream(server.url, cookie, position) as stream:
        assert stream.titles(3) == sent
