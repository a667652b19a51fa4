"""Broadcasts in open streams, most on real servers: arrival, edit, recall, and a schedule that two processes keep."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.test import override_settings
from django.utils import timezone

from notifications.audiences import Audience
from notifications.models import Broadcast, Notification
from notifications.services import edit_broadcast, mark_read, publish_broadcast, recall_broadcast
from notifications.testing import LiveClient
from tests.servers.process import ServerProcess
from tests.servers.valkey import Valkey
from tests.streaming import EventStream, cookies

Start = Callable[..., ServerProcess]

SOON = timedelta(seconds=1)


@pytest.fixture
def users(transactional_db: None) -> list[User]:
    return [User.objects.create_user("alice"), User.objects.create_user("bob", is_staff=True)]


def broadcast(title: str, *names: str, **fields: Any) -> Broadcast:
    return publish_broadcast(Broadcast(title=title, audience=Audience.of(*(names or ("everyone",))).dump(), **fields))


def items(stream: EventStream) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = stream.next("changes")["items"]
    return found


def on_broker(valkey: Valkey) -> override_settings:
    """Let this process send hints too, as a shell or a worker of the same project does."""
    hosts = [{"address": valkey.url, "socket_timeout": None}]
    layer = {"BACKEND": "channels_redis.core.RedisChannelLayer", "CONFIG": {"hosts": hosts}}
    return override_settings(CHANNEL_LAYERS={"default": layer})


def test_a_broadcast_arrives_is_edited_and_recalled_in_open_streams(asgi_server: Start, users: list[User]) -> None:
    server = asgi_server()
    with EventStream(server.url, cookies(users[0])) as alice, EventStream(server.url, cookies(users[1])) as bob:
        for stream in (alice, bob):
            stream.next("reset")
        sent = broadcast("Maintenance tonight")
        for stream in (alice, bob):
            assert [item["title"] for item in items(stream)] == ["Maintenance tonight"]
        sent.refresh_from_db()
        edit_broadcast(sent, title="Maintenance moved", level="warning")
        for stream in (alice, bob):
            assert [(item["title"], item["level"]) for item in items(stream)] == [("Maintenance moved", "warning")]
        recall_broadcast(sent)
        for stream in (alice, bob):
            assert [item["removed"] for item in items(stream)] == [True]


def test_only_the_audience_hears_of_it(users: list[User]) -> None:
    with LiveClient(users[0]) as alice, LiveClient(users[1]) as bob:
        for page in (alice, bob):
            page.settled()
        broadcast("For staff", "staff")
        assert alice.settled() == []
        assert [item["title"] for item in bob.next("changes")["items"]] == ["For staff"]


def test_who_connects_later_gets_it_first_of_all(users: list[User]) -> None:
    broadcast("While you were away")
    with LiveClient(users[0]) as alice:
        assert [item["title"] for item in alice.next("reset")["items"]] == ["While you were away"]


def test_another_process_hears_of_it_through_the_broker(asgi_server: Start, valkey: Valkey, users: list[User]) -> None:
    """With a broker the comparison with the database is 30 s away: only the hint can explain an arrival."""
    server = asgi_server(redis_url=valkey.url)
    with on_broker(valkey), EventStream(server.url, cookies(users[0])) as alice:
        alice.next("reset")
        broadcast("first")
        assert alice.titles(1) == ["first"]
        broadcast("second")
        assert alice.titles(1) == ["second"]


@pytest.mark.parametrize("killed", [False, True], ids=["both alive", "one killed at the moment"])
def test_a_schedule_is_kept_exactly_once_by_two_processes(
    asgi_server: Start, valkey: Valkey, users: list[User], killed: bool
) -> None:
    servers = [asgi_server(redis_url=valkey.url) for _ in range(2)]
    streams = [EventStream(server.url, cookies(user)) for server, user in zip(servers, users, strict=True)]
    for stream in streams:
        stream.next("reset")
    with on_broker(valkey):
        scheduled = broadcast("On time", publish_at=timezone.now() + SOON)
    assert scheduled.state == "scheduled"
    if killed:
        servers[0].kill()
    assert streams[1].titles(1) == ["On time"]
    if not killed:
        assert streams[0].titles(1) == ["On time"]
    with on_broker(valkey):
        broadcast("The end")
    assert streams[1].titles(1) == ["The end"]  # and no second copy before it
    for stream in streams:
        stream.close()
    scheduled.refresh_from_db()
    assert scheduled.state == "sent"
    assert Notification.objects.filter(notice__title="On time", recipient=users[1]).count() == 1
    assert Broadcast.objects.filter(notice__title="On time").count() == 1


def test_what_a_killed_process_published_but_did_not_announce_arrives(asgi_server: Start, users: list[User]) -> None:
    server = asgi_server()
    with EventStream(server.url, cookies(users[0])) as alice:
        alice.next("reset")
        with transaction.atomic():
            sent = broadcast("Half sent")
            transaction.get_connection().run_on_commit = []  # killed right after its commit
        assert Broadcast.objects.filter(pk=sent.pk).values_list("arrival").get() in [(None,), (1,)]
        assert alice.titles(1) == ["Half sent"]


def test_the_page_of_results_hears_what_changes(asgi_server: Start, users: list[User]) -> None:
    server = asgi_server()
    sent = broadcast("Maintenance tonight")
    admin = User.objects.create_superuser("admin")
    path = f"/admin/carillon/broadcast/{sent.pk}/results/live/"
    with EventStream(server.url, cookies(admin), path=path) as results:
        until(results, delivered="0", read="0")
        with EventStream(server.url, cookies(users[0])) as alice:
            alice.next("reset")
            until(results, delivered="1", read="0")
        mark_read(users[0], list(Notification.objects.of(users[0]).values_list("pk", flat=True)))
        until(results, delivered="1", read="1")
        recall_broadcast(Broadcast.objects.get())
        while results.next("results")["state"] != "recalled":
            pass


def until(results: EventStream, **figures: str) -> None:
    """Return when the stream of results tells these figures; a stream that falls silent is a failure."""
    while not figures.items() <= results.next("results")["text"].items():
        pass


def test_only_staff_may_watch_the_results(asgi_server: Start, users: list[User]) -> None:
    server = asgi_server()
    path = f"/admin/carillon/broadcast/{broadcast('Hello').pk}/results/live/"
    with EventStream(server.url, cookies(users[0]), path=path) as stream:
        assert stream.response.status == 302
