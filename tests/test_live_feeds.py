"""Feeds on real servers: over the page's one connection, over one of their own, and by polling."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from django.contrib.auth.models import User

import project.feeds  # noqa: F401  # declares what the demo follows
from notifications.services import notify, publish, publish_many
from tests.factories import make_user
from tests.servers.process import ServerProcess
from tests.streaming import EventStream, connect, cookies, get

Start = Callable[..., ServerProcess]

pytestmark = [pytest.mark.servers, pytest.mark.django_db(transaction=True)]

STREAM = "/notifications/stream/"


@pytest.fixture
def alice() -> Any:
    return make_user("alice")


def post(url: str, path: str, cookie: str, body: dict[str, Any]) -> tuple[int, Any]:
    """Send JSON as a page does, with the token of its cookie."""
    connection = connect(url)
    try:
        token = "x" * 32
        headers = {"Cookie": f"{cookie}; csrftoken={token}", "X-CSRFToken": token, "Content-Type": "application/json"}
        connection.request("POST", path, json.dumps(body), headers)
        response = connection.getresponse()
        return response.status, json.load(response)
    finally:
        connection.close()


def data(frame: dict[str, Any]) -> list[Any]:
    return [event["data"] for event in frame["events"]]


def hears(stream: EventStream) -> list[Any]:
    """Return what the next frame with events brings; the stream of a feed may begin empty."""
    while not (found := data(stream.next("feed", "feed.reset"))):
        pass
    return found


def told(stream: EventStream, count: int) -> list[int]:
    """Return the numbers in the next `count` events."""
    found: list[int] = []
    while len(found) < count:
        found += [row["n"] for row in hears(stream)]
    return found


def test_a_plain_event_source_follows_the_inbox_and_feeds_and_resumes_all_of_them(
    asgi_server: Start, alice: User
) -> None:
    server, cookie = asgi_server(), cookies(alice)
    publish("orders:1", {"state": "new"})
    path = f"{STREAM}?feeds=orders:1,orders:2"
    with EventStream(server.url, cookie, path=path) as stream:
        assert [stream.next("feed.status")["state"] for _ in range(2)] == ["live", "live"]
        assert hears(stream) == [{"state": "new"}]
        publish("orders:1", {"state": "packed"}, event="status")
        assert data(stream.next("feed")) == [{"state": "packed"}]
        publish("orders:2", {"state": "new"})
        assert hears(stream) == [{"state": "new"}]
        notify(alice, "beside them")
        assert stream.titles(1) == ["beside them"]
        position = stream.last_event_id
    assert position.count("=") == 3
    publish("orders:1", {"state": "sent"})
    publish("orders:2", {"state": "packed"})
    notify(alice, "meanwhile")
    with EventStream(server.url, cookie, position, path=path) as stream:
        frames = [stream.next("changes", "feed") for _ in range(3)]
    found = {frame.get("feed", "inbox"): frame for frame in frames}
    assert data(found["orders:1"]) == [{"state": "sent"}]
    assert data(found["orders:2"]) == [{"state": "packed"}]
    assert [item["title"] for item in found["inbox"]["items"]] == ["meanwhile"]


def test_an_open_connection_takes_feeds_up_and_lets_them_go(asgi_server: Start, alice: User) -> None:
    server, cookie = asgi_server(), cookies(alice)
    publish("orders:1", {"n": 1})
    with EventStream(server.url, cookie) as stream:
        name = stream.next("hello")["connection"]
        wish = {"orders:1": "", "orders:2": "", "log:build": "", "nobody": ""}
        status, told = post(server.url, "/notifications/api/feeds/", cookie, {"connection": name, "follow": wish})
        assert status == 200, told
        states = {feed: found["state"] for feed, found in told["feeds"].items()}
        assert states == {"orders:1": "live", "orders:2": "live", "log:build": "denied", "nobody": "unknown"}
        assert "orders:{pk:int}" in told["feeds"]["nobody"]["message"]
        assert hears(stream) == [{"n": 1}]
        gone = {"connection": name, "unfollow": ["orders:1"]}
        assert post(server.url, "/notifications/api/feeds/", cookie, gone)[0] == 200
        publish("orders:1", {"n": 2})
        publish("orders:2", {"n": 3})
        assert hears(stream) == [{"n": 3}]


def test_another_user_cannot_steer_a_connection(asgi_server: Start, alice: User) -> None:
    server = asgi_server()
    bob = make_user("bob")
    with EventStream(server.url, cookies(alice)) as stream:
        name = stream.next("hello")["connection"]
        body = {"connection": name, "follow": {"orders:1": ""}}
        assert post(server.url, "/notifications/api/feeds/", cookies(bob), body)[0] == 200
        publish("orders:1", {"n": 1})
        notify(alice, "nothing but this")
        stream.next("reset")
        assert stream.next()["type"] == "changes"


def test_who_may_no_longer_follow_hears_no_more(asgi_server: Start) -> None:
    staff = make_user("staff", is_staff=True)
    server = asgi_server(settings="tests.live_settings", env={"RECHECK": "1"})
    with EventStream(server.url, cookies(staff), path=f"{STREAM}?feeds=log:build") as stream:
        assert stream.next("feed.status")["state"] == "live"
        publish("log:build", {"line": 1})
        assert hears(stream) == [{"line": 1}]
        User.objects.filter(pk=staff.pk).update(is_staff=False)
        assert stream.next("feed.status")["state"] == "denied"
        publish("log:build", {"line": 2})
        notify(staff, "but this")
        assert stream.next()["type"] == "changes"


def test_whoever_is_not_signed_in_follows_public_feeds_alone(asgi_server: Start) -> None:
    server = asgi_server()
    publish_many([("prices", {"symbol": symbol, "price": 1}) for symbol in "AB"])
    with EventStream(server.url, path=f"{STREAM}?feeds=prices,orders:1") as stream:
        assert (stream.next("hello")["cursor"], stream.next("feed.status")["state"]) == (None, "denied")
        assert stream.next("feed.status")["feed"] == "prices"
        assert [row["symbol"] for row in hears(stream)] == ["A", "B"]
    with EventStream(server.url, path=STREAM) as stream:
        assert stream.response.status == 401


def test_a_burst_reaches_a_reader_as_few_frames(asgi_server: Start) -> None:
    server = asgi_server()
    publish("prices", {"symbol": "A", "price": 0})
    with EventStream(server.url, path=f"{STREAM}?feeds=prices") as stream:
        stream.next("feed.reset")
        for start in range(1, 1_001, 100):
            publish_many([("prices", {"symbol": "A", "price": price}) for price in range(start, start + 100)])
        frames = 0
        last = 0
        while last < 1_000:
            (row,) = hears(stream)
            frames, last = frames + 1, row["price"]
    assert frames <= 10


def test_polling_brings_the_inbox_and_feeds(asgi_server: Start, alice: User) -> None:
    server, cookie = asgi_server(), cookies(alice)
    publish("orders:1", {"n": 1})
    _status, _headers, first = get(server.url, "/notifications/api/changes/?feeds=orders:1", cookie)
    kinds = [frame["type"] for frame in first["frames"]]
    assert kinds == ["reset", "feed.reset", "heartbeat"]
    since = quote(first["frames"][-1]["head"])
    publish("orders:1", {"n": 2})
    _status, _headers, more = get(
        server.url, f"/notifications/api/changes/?feeds=orders:1&since={since}&wait=20", cookie
    )
    assert data(more["frames"][0]) == [{"n": 2}]


def test_who_follows_before_anything_is_published_is_told_all_of_it_also_after_a_cut(
    asgi_server: Start, alice: User
) -> None:
    server, cookie = asgi_server(), cookies(alice)
    path = f"{STREAM}?feeds=journal"
    with EventStream(server.url, cookie, path=path) as stream, EventStream(server.url, cookie, path=path) as cut:
        for one in (stream, cut):
            assert (one.next("feed.reset")["events"]) == []
        position = cut.last_event_id
        cut.close()
        publish_many([("journal", {"n": n}) for n in range(200)])  # of which a new reader gets 50
        assert told(stream, 200) == list(range(200))
    with EventStream(server.url, cookie, position, path=path) as stream:
        assert told(stream, 200) == list(range(200))


def test_who_steers_a_connection_is_told_all_that_was_published_since_the_feed_was_empty(
    asgi_server: Start, alice: User
) -> None:
    server, cookie = asgi_server(), cookies(alice)

    def tell(**what: Any) -> None:
        assert post(server.url, "/notifications/api/feeds/", cookie, {"connection": name, **what})[0] == 200

    with EventStream(server.url, cookie, path=f"{STREAM}?feeds=&ids=each") as stream:
        name = stream.next("hello")["connection"]
        tell(follow={"journal": ""})
        position = stream.next("feed.reset")["cursor"]
        tell(unfollow=["journal"])
        publish_many([("journal", {"n": n}) for n in range(200)])
        tell(follow={"journal": position})
        assert told(stream, 200) == list(range(200))


@pytest.mark.parametrize("wait", [0, 20])
def test_who_polls_before_anything_is_published_is_told_all_of_it(asgi_server: Start, alice: User, wait: int) -> None:
    server, cookie = asgi_server(), cookies(alice)
    path = f"/notifications/api/changes/?feeds=journal&inbox=0&wait={wait}"
    _status, _headers, first = get(server.url, path, cookie)
    assert [frame["type"] for frame in first["frames"]] == ["feed.reset", "heartbeat"]
    publish_many([("journal", {"n": n}) for n in range(200)])
    since = quote(first["frames"][-1]["head"])
    _status, _headers, more = get(server.url, f"{path}&since={since}", cookie)
    events = [row for frame in more["frames"] for row in frame.get("events", [])]
    assert [event["data"]["n"] for event in events] == list(range(200))


WRONG: list[dict[str, Any]] = [
    {"connection": 7, "follow": {}},
    {"connection": "", "follow": {}},
    {"connection": "c", "follow": ["orders:1"]},
    {"connection": "c", "follow": {"orders:1": 7}},
    {"connection": "c", "follow": {"orders:1": "no cursor"}},
    {"connection": "c", "unfollow": "orders:1"},
    {"connection": "c", "unfollow": ["x"] * 500},
]


def test_wrong_requests_are_explained(asgi_server: Start, alice: User) -> None:
    server, cookie = asgi_server(), cookies(alice)
    for body in WRONG:
        status, told = post(server.url, "/notifications/api/feeds/", cookie, body)
        assert (status, told["code"]) == (400, "bad-request"), body


def test_a_connection_follows_a_hundred_feeds_and_no_more(asgi_server: Start, alice: User) -> None:
    server, cookie = asgi_server(), cookies(alice)
    names = ",".join(f"orders:{n}" for n in range(1, 103))
    with EventStream(server.url, cookie, path=f"{STREAM}?feeds={names}") as stream:
        states = [stream.next("feed.status")["state"] for _ in range(102)]
        assert (states.count("live"), states.count("too-many")) == (100, 2)
        publish("orders:100", {"n": 1})
        assert hears(stream) == [{"n": 1}]
