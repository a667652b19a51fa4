"""Streams and notifications work in whatever surroundings Django allows, on real servers."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User

from notifications.services import notify
from tests.servers.process import ServerProcess
from tests.streaming import EventStream, cookies, get

Start = Callable[..., ServerProcess]
Site = Callable[..., ServerProcess]

APPLICATION = "tests.surroundings.asgi:application"
STREAM = "/notifications/stream/"


@pytest.fixture
def alice(transactional_db: None) -> User:
    return User.objects.create_user("alice", password="alice")


@pytest.fixture
def site(asgi_server: Start) -> Site:
    """Return a function that starts a site with some settings: ``site(FORCE_SCRIPT_NAME="/x")``."""

    def start(
        words: tuple[str, ...] = (), application: str = "tests.surroundings.asgi:application", **more: Any
    ) -> Any:
        given = {"NOTIFICATIONS_RECONCILE": 0.1, **more}
        return asgi_server(
            settings="tests.surroundings.settings",
            application=application,
            words=words,
            env={"SETTINGS": json.dumps(given, default=str)},
        )

    return start


def threads(server: ServerProcess) -> int:
    return len(list(Path(f"/proc/{server.pid}/task").iterdir()))


def hears(server: ServerProcess, user: Any, path: str = STREAM, cookie: str = "", **headers: str) -> None:
    """Open a stream in which one notification arrives."""
    with EventStream(server.url, cookie or cookies(user), path=path, **headers) as stream:
        assert stream.response.status == 200, stream.response.read()
        stream.next("reset")
        notify(user, "heard")
        assert stream.titles(1) == ["heard"]


def is_carried(server: ServerProcess, user: Any, path: str = STREAM, **headers: str) -> None:
    """Open streams that hold no thread."""
    cookie = cookies(user)
    streams = [EventStream(server.url, cookie, path=path, **headers) for _ in range(2)]
    for stream in streams:
        stream.next("reset")
    before = threads(server)
    streams += [EventStream(server.url, cookie, path=path, **headers) for _ in range(8)]
    for stream in streams[2:]:
        stream.next("reset")
    assert threads(server) <= before
    assert "without the hand-off lane" not in server.output()
    for stream in streams:
        stream.close()


LOCALE = {"LAST_MIDDLEWARE": ["django.middleware.locale.LocaleMiddleware"]}
BY_HOST = {"FIRST_MIDDLEWARE": ["tests.surroundings.middleware.urlconf_by_host"]}

LAYOUTS: dict[str, tuple[dict[str, Any], tuple[str, ...], str, dict[str, str]]] = {
    "at a path of its own": ({"ROOT_URLCONF": "tests.surroundings.urls_elsewhere"}, (), "/a/far/place/stream/", {}),
    "one view alone": ({"ROOT_URLCONF": "tests.surroundings.urls_elsewhere"}, (), "/events", {}),
    "in languages": (
        {"ROOT_URLCONF": "tests.surroundings.urls_in_languages", **LOCALE},
        (),
        "/de/notifications/stream/",
        {},
    ),
    "in languages but one": (
        {"ROOT_URLCONF": "tests.surroundings.urls_with_default", **LOCALE},
        (),
        "/notifications/stream/",
        {"Accept-Language": "de"},
    ),
    "with a forced script name": ({"FORCE_SCRIPT_NAME": "/site"}, (), "/site/notifications/stream/", {}),
    "with a script name that a proxy takes away": ({"FORCE_SCRIPT_NAME": "/site"}, (), STREAM, {}),
    "with the server's root path": ({}, ("--root-path=/site",), STREAM, {}),
    "with a URLconf by the host": (BY_HOST, (), "/live/stream/", {"Host": "localhost"}),
    "with a client that accepts anything": ({}, (), STREAM, {"Accept": "*/*"}),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_lane_carries_streams(layout: str, site: Site, alice: User) -> None:
    settings, words, path, headers = LAYOUTS[layout]
    server = site(words, **settings)
    hears(server, alice, path, **headers)
    is_carried(server, alice, path, **headers)


def test_a_stream_of_another_view_is_that_views_own(site: Site, alice: User) -> None:
    counting = {"LAST_MIDDLEWARE": ["tests.surroundings.middleware.count_requests"]}
    server = site(**BY_HOST, **counting)

    def ticks(path: str, host: str) -> list[bytes]:
        with EventStream(server.url, path=path, Host=host) as stream:
            assert stream.response.status == 200
            return stream.response.read().split()[1::2]

    assert [ticks("/ticker/", "127.0.0.1") for _ in range(3)] == [[b"1"] * 2, [b"2"] * 2, [b"3"] * 2]
    # Carillon's route in the settings' URLconf is another's for this host: the guess is wrong once, and never again.
    assert [ticks(STREAM, "localhost") for _ in range(3)] == [[b"2"] * 2, [b"3"] * 2, [b"4"] * 2]
    assert server.output().count("another view") == 1
    is_carried(server, alice)


def test_a_stream_that_holds_a_thread_is_told_of_once(site: Site, alice: User) -> None:
    server = site(application="tests.plain_asgi:application")
    for _ in range(2):
        with EventStream(server.url, cookies(alice)) as stream:
            stream.next("reset")
    assert server.output().count("without the hand-off lane") == 1
    assert "not wrapped in notifications.asgi.Handoff" in server.output()


def test_what_some_middleware_answers_in_the_place_of_a_stream_is_no_stream(site: Site, alice: User) -> None:
    for layout in ({}, BY_HOST):
        server = site(**layout, LAST_MIDDLEWARE=["tests.surroundings.middleware.close_in_the_end"])
        path, host = ("/live/stream/", "localhost") if layout else (STREAM, "127.0.0.1")
        with EventStream(server.url, cookies(alice), path=path, Host=host) as stream:
            assert (stream.response.status, stream.response.read()) == (503, b"closed")


def test_the_sites_cache_keeps_nothing_of_anybody(site: Site, alice: User, tmp_path: Path) -> None:
    cached = {
        "FIRST_MIDDLEWARE": ["django.middleware.cache.UpdateCacheMiddleware"],
        "LAST_MIDDLEWARE": ["django.middleware.cache.FetchFromCacheMiddleware"],
    }
    server = site(**cached)
    cookie = cookies(alice)
    for _ in range(2):
        hears(server, alice, cookie=cookie)
    counted = []
    for _ in range(2):
        notify(alice, "one more")
        counted.append(get(server.url, "/notifications/api/counts/", cookie)[2]["unread"])
    assert counted == [3, 4]
