"""The event stream on real servers, with the hand-off lane and without it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from notifications.services import mark_read, notify
from tests.servers.process import ServerProcess
from tests.streaming import EventStream, cookies, get

Start = Callable[..., ServerProcess]

SERVERS = ["uvicorn", "daphne", "granian", "hypercorn"]
WITHOUT_LANE = {"application": "tests.plain_asgi:application"}
CASES = ["gzip", "atomic-requests", "conn-max-age", "login-required"]


@pytest.fixture
def alice(transactional_db: None) -> User:
    return User.objects.create_user("alice")


def tells_the_story(server: ServerProcess, alice: User) -> None:
    """Connect, hear of what was there, of what happens, leave, and continue from where one was."""
    cookie = cookies(alice)
    notify(alice, "before")
    with EventStream(server.url, cookie) as stream:
        assert stream.response.status == 200
        assert stream.response.headers["Content-Type"] == "text/event-stream; charset=utf-8"
        hello = stream.next()
        assert (hello["type"], hello["v"], hello["cursor"], hello["unread"]) == ("hello", 1, None, 1)
        assert stream.retry is not None
        reset = stream.next()
        assert (reset["type"], reset["reason"]) == ("reset", "start")
        assert [item["title"] for item in reset["items"]] == ["before"]
        notify(alice, "live")
        changes = stream.next()
        assert changes["type"] == "changes"
        assert (changes["from"], changes["unread"]) == (reset["cursor"], 2)
        assert [item["title"] for item in changes["items"]] == ["live"]
        position = stream.last_event_id
        assert position == changes["to"]
    notify(alice, "missed 1")
    mark_read(alice, [item["id"] for item in changes["items"]])
    with EventStream(server.url, cookie, position) as stream:
        hello = stream.next()
        assert (hello["type"], hello["cursor"]) == ("hello", position)
        missed = stream.next()
        assert missed["from"] == position
        assert [(item["title"], item["read_at"] is None) for item in missed["items"]] == [
            ("missed 1", True),
            ("live", False),
        ]
        notify(alice, "live again")
        assert stream.titles(1) == ["live again"]
    with EventStream(server.url, cookie, path=f"/notifications/stream/?since={position}") as stream:
        assert stream.next()["cursor"] == position
        assert stream.titles(3) == ["missed 1", "live", "live again"]


@pytest.mark.parametrize("kind", SERVERS)
def test_a_stream_resumes_without_a_gap_or_a_repeat(kind: str, asgi_server: Start, alice: User) -> None:
    tells_the_story(asgi_server(kind), alice)


@pytest.mark.parametrize("kind", ["uvicorn", "daphne"])
def test_it_does_so_without_the_lane(kind: str, asgi_server: Start, alice: User) -> None:
    tells_the_story(asgi_server(kind, **WITHOUT_LANE), alice)


@pytest.mark.parametrize("lane", [{}, WITHOUT_LANE], ids=["lane", "no lane"])
@pytest.mark.parametrize("case", CASES)
def test_it_does_so_under(case: str, lane: dict[str, Any], asgi_server: Start, alice: User) -> None:
    server = asgi_server(settings="tests.live_settings", env={"CASE": case}, **lane)
    tells_the_story(server, alice)
    status, _headers, answer = get(server.url, "/notifications/stream/")
    assert (status, answer["code"]) == (401, "signed-out")


@pytest.mark.parametrize("lane", [{}, WITHOUT_LANE], ids=["lane", "no lane"])
def test_headers_keep_proxies_and_middleware_from_holding_events_back(
    lane: dict[str, Any], asgi_server: Start, alice: User
) -> None:
    with EventStream(asgi_server(**lane).url, cookies(alice)) as stream:
        headers = stream.response.headers
        assert headers["Cache-Control"] == "private, no-cache, no-store, no-transform"
        assert headers["Content-Encoding"] == "identity"
        assert headers["X-Accel-Buffering"] == "no"
        assert "Cookie" in headers["Vary"]
        assert "Content-Length" not in headers


@pytest.mark.parametrize("kind", ["uvicorn", "daphne", "granian"])
def test_a_server_that_is_told_to_stop_says_goodbye_and_stops(kind: str, asgi_server: Start, alice: User) -> None:
    server = asgi_server(kind)
    with EventStream(server.url, cookies(alice)) as stream:
        stream.next("reset")
        assert server.process is not None
        server.process.terminate()
        bye = stream.next("bye")
        assert bye["reason"] == "drain"
        assert bye["retry"] > 0
        with pytest.raises(EOFError):
            stream.next()
    server.process.wait(timeout=10)


@pytest.mark.parametrize("lane", [{}, WITHOUT_LANE], ids=["lane", "no lane"])
def test_signing_out_ends_the_streams_of_that_session_only(
    lane: dict[str, Any], asgi_server: Start, alice: User
) -> None:
    server = asgi_server(**lane)
    here, elsewhere = cookies(alice), cookies(alice)
    with EventStream(server.url, here) as stream, EventStream(server.url, elsewhere) as other:
        stream.next("reset")
        other.next("reset")
        sign_out(server, here)
        assert stream.next("bye") == {"type": "bye", "reason": "signed-out", "retry": None}
        notify(alice, "still here")
        assert other.titles(1) == ["still here"]
    status, _headers, answer = get(server.url, "/notifications/stream/", here)
    assert (status, answer["code"]) == (401, "signed-out")


def sign_out(server: ServerProcess, cookie: str) -> None:
    """Sign out in the server's own process, on the demo's page."""
    import httpx

    token = "a" * 32
    answer = httpx.post(
        f"{server.url}/sign-out/",
        headers={"Cookie": f"{cookie}; csrftoken={token}", "X-CSRFToken": token},
        timeout=10,
    )
    assert answer.status_code < 400


def test_a_stream_ends_after_its_life_and_beats_meanwhile(asgi_server: Start, alice: User) -> None:
    server = asgi_server(settings="tests.live_settings", env={"HEARTBEAT": "2", "MAX_AGE": "6"})
    with EventStream(server.url, cookies(alice)) as stream:
        name = stream.next("hello")["connection"]
        cursor = stream.next("reset")["cursor"]
        assert stream.next() == {"type": "heartbeat", "head": cursor}
        bye = stream.next("bye")
        assert bye["reason"] == "max-age"
        with pytest.raises(EOFError):
            stream.next()
    log = server.output()
    assert f"Connection {name} of user {alice.pk} opened." in log
    assert f"Connection {name} ended: max-age." in log


def test_one_user_may_not_take_all_streams(asgi_server: Start, alice: User) -> None:
    server = asgi_server(settings="tests.live_settings", env={"MAX_STREAMS_PER_USER": "2"})
    cookie = cookies(alice)
    with EventStream(server.url, cookie) as first, EventStream(server.url, cookie) as second:
        first.next("reset")
        second.next("reset")
        status, headers, answer = get(server.url, "/notifications/api/changes/?wait=1", cookie)
        assert status == 200  # what is answered at once takes no place
        with EventStream(server.url, cookie) as third:
            assert third.response.status == 429
            assert int(third.response.headers["Retry-After"]) > 0
    del headers, answer


def test_a_full_process_answers_instead_of_hanging(asgi_server: Start, alice: User) -> None:
    server = asgi_server(settings="tests.live_settings", env={"MAX_STREAMS": "1"})
    with EventStream(server.url, cookies(alice)) as stream:
        stream.next("reset")
        with EventStream(server.url, cookies(alice)) as second:
            assert second.response.status == 503
            assert int(second.response.headers["Retry-After"]) > 0


def test_an_open_stream_holds_no_thread_and_no_database_connection(asgi_server: Start, alice: User) -> None:
    server = asgi_server()
    cookie = cookies(alice)

    def threads() -> int:
        return len(list(Path(f"/proc/{server.pid}/task").iterdir()))

    def database_files() -> int:
        found = [path.readlink() for path in Path(f"/proc/{server.pid}/fd").iterdir() if path.is_symlink()]
        return sum(path.name.endswith(".sqlite3") for path in found)

    streams = [EventStream(server.url, cookie) for _ in range(3)]
    notify(alice, "This is read by the thread that reads for all")
    for stream in streams:
        stream.next("reset")
        stream.titles(1)
    before = threads(), database_files()
    more = [EventStream(server.url, cookie) for _ in range(30)]
    for stream in more:
        stream.next("reset")
    assert (threads(), database_files()) == before
    for stream in [*streams, *more]:
        stream.close()


def send_16_megabytes(alice: User) -> list[str]:
    """Notify so much that the sockets in between cannot hold it, and return the titles."""
    titles = [f"{number}" for number in range(400)]
    for title in titles:
        notify(alice, title, body="é" * 4_000, data={"filler": "x" * 8_000})
    return titles


def test_a_client_that_stopped_reading_continues_from_its_position(asgi_server: Start, alice: User) -> None:
    server = asgi_server(settings="tests.live_settings", env={"MAX_BYTES": "100e6"})
    cookie = cookies(alice)
    with EventStream(server.url, cookie) as slow, EventStream(server.url, cookie) as quick:
        slow.next("reset")
        quick.next("reset")
        titles = send_16_megabytes(alice)
        assert quick.titles(len(titles)) == titles
        assert slow.titles(len(titles)) == titles


@pytest.mark.parametrize("kind", ["uvicorn", "daphne"])
def test_a_stream_over_its_budget_ends_and_continues_in_the_next(kind: str, asgi_server: Start, alice: User) -> None:
    server = asgi_server(kind)
    cookie = cookies(alice)
    found: list[str] = []
    reasons: list[str] = []
    position = ""
    expected: list[str] = []
    while not reasons or len(found) < len(expected):
        with EventStream(server.url, cookie, position) as stream:
            if not expected:
                position = stream.next("reset")["cursor"]
                expected = send_16_megabytes(alice)
            while not reasons or len(found) < len(expected):
                frame = stream.next("changes", "bye")
                if frame["type"] == "bye":
                    reasons.append(frame["reason"])
                    break
                found += [item["title"] for item in frame["items"]]
                position = stream.last_event_id
    assert found == expected
    assert set(reasons) == {"limit"}


def test_a_poll_is_held_until_something_happens(asgi_server: Start, alice: User) -> None:
    from concurrent.futures import ThreadPoolExecutor

    for lane in ({}, WITHOUT_LANE):
        server = asgi_server(**lane)
        cookie = cookies(alice)
        _status, _headers, answer = get(server.url, "/notifications/api/changes/", cookie)
        (reset,) = answer["frames"]
        assert (reset["type"], reset["reason"]) == ("reset", "start")
        path = f"/notifications/api/changes/?since={reset['cursor']}"
        _status, _headers, answer = get(server.url, path, cookie)
        assert answer["frames"] == [{"type": "heartbeat", "head": reset["cursor"]}]
        with ThreadPoolExecutor(1) as pool:
            held = pool.submit(get, server.url, f"{path}&wait=20", cookie)
            assert not held.done()
            notify(alice, "worth the wait")
            status, headers, answer = held.result()
        assert (status, headers["content-type"]) == (200, "application/json")
        assert [item["title"] for item in answer["frames"][0]["items"]] == ["worth the wait"]
        _status, _headers, answer = get(
            server.url, f"{path}&wait=0.2".replace(reset["cursor"], answer["frames"][0]["to"]), cookie
        )
        assert [frame["type"] for frame in answer["frames"]] == ["heartbeat"]


def test_a_cursor_that_is_none_is_refused_with_the_right_form(asgi_server: Start, alice: User) -> None:
    server = asgi_server()
    status, _headers, answer = get(server.url, "/notifications/stream/?since=nonsense", cookies(alice))
    assert (status, answer["code"]) == (400, "bad-request")
    assert "inbox=" in answer["message"]
    with EventStream(server.url, cookies(alice), "of an older version") as stream:
        assert stream.next()["cursor"] is None
        assert stream.next()["reason"] == "start"


def test_the_test_client_meets_wsgi_and_is_told_to_poll(client: Client, alice: User) -> None:
    client.force_login(alice)
    answer = client.get("/notifications/stream/")
    assert answer.status_code == 501
    assert answer.json()["code"] == "no-streaming"
