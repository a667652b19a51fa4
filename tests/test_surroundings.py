"""Streams and notifications work in whatever surroundings Django allows, on real servers."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http.cookies import SimpleCookie
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import httpx
import pytest
from django.contrib.auth.models import User
from django.db import connection

from notifications.services import notify
from tests.servers.asgi import ROOT, environment
from tests.servers.process import ServerProcess
from tests.settings import INSTALLED_APPS
from tests.streaming import TIMEOUT, EventStream, cookies, get
from tests.surroundings.contend import ROUNDS, THREADS
from tests.wschat import Person

if TYPE_CHECKING:
    from tests.servers.postgresql import PostgreSQL

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

    def start(application: str = APPLICATION, *, words: Sequence[str] = (), **more: Any) -> ServerProcess:
        options = {"database_url": more.pop("database_url")} if "database_url" in more else {}
        given = {"NOTIFICATIONS_RECONCILE": 0.1, **more}
        env = {"SETTINGS": json.dumps(given)}
        return asgi_server(
            settings="tests.surroundings.settings", application=application, words=words, env=env, **options
        )

    return start


class Visitor:
    """Somebody with a browser, whom the site itself signs in and notifies."""

    def __init__(self, server: ServerProcess, name: str = "alice") -> None:
        self.server, self.url = server, server.url
        self.cookies: dict[str, str] = {}
        self.get("/enter/", name=name)

    def ask(self, method: str, path: str, headers: Mapping[str, str] | None = None, **options: Any) -> httpx.Response:
        sent = {"Cookie": self.cookie, **(headers or {})}
        answer = httpx.request(method, self.url + path, headers=sent, timeout=TIMEOUT, **options)
        for header in answer.headers.get_list("Set-Cookie"):
            for name, morsel in SimpleCookie(header).items():
                self.cookies[name] = morsel.value
                if morsel["max-age"] == "0":
                    del self.cookies[name]
        return answer

    def get(self, path: str, **query: str) -> httpx.Response:
        answer = self.ask("GET", path, params=query)
        assert answer.status_code == 200, answer.text + self.server.output()
        return answer

    def post(self, path: str) -> Any:
        token = "a" * 32
        self.cookies["csrftoken"] = token
        answer = self.ask("POST", path, headers={"X-CSRFToken": token})
        assert answer.status_code == 200, answer.text + self.server.output()
        return answer.json()

    @property
    def cookie(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())

    def stream(self, path: str = STREAM) -> EventStream:
        stream = EventStream(self.url, self.cookie, path=path)
        assert stream.response.status == 200, stream.response.read()
        return stream

    def hears(self) -> None:
        """Open a stream in which one notification arrives."""
        with self.stream() as stream:
            stream.next("reset")
            self.get("/tell/", title="heard")
            assert stream.titles(1) == ["heard"]


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
    # Without the lane it would be eight more; the process's own pools may start a thread at their first work.
    assert threads(server) - before < 8 / 2
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
    server = site(words=words, **settings)
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
    server = site("tests.plain_asgi:application")
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


@pytest.fixture(scope="module")
def database(postgresql: PostgreSQL) -> str:
    """Return the address of a PostgreSQL database with the tables of a site."""
    url = postgresql.create()
    migrate(url)
    return url


SIGNING_IN: dict[str, dict[str, Any]] = {
    "in the database, the token in a cookie": {},
    "in the database and a cache, the token in a cookie that no script reads": {
        "SESSION_ENGINE": "django.contrib.sessions.backends.cached_db",
        "CSRF_COOKIE_HTTPONLY": True,
    },
    "in a cache, the token in the session": {
        "SESSION_ENGINE": "django.contrib.sessions.backends.cache",
        "CSRF_USE_SESSIONS": True,
    },
    "in files, the token in a cookie and a header of other names": {
        "SESSION_ENGINE": "django.contrib.sessions.backends.file",
        "CSRF_COOKIE_NAME": "xsrf",
        "CSRF_HEADER_NAME": "HTTP_X_XSRF",
    },
    "in a cookie, and so is the token": {
        "SESSION_ENGINE": "django.contrib.sessions.backends.signed_cookies",
        "CSRF_COOKIE_PATH": "/notifications/",
    },
}


@pytest.mark.parametrize("kept", SIGNING_IN)
def test_sessions_may_be_kept_anywhere_and_a_page_of_an_earlier_one_gets_a_fresh_token(
    kept: str, site: Site, transactional_db: None, tmp_path: Path
) -> None:
    settings = SIGNING_IN[kept]
    alice = Visitor(site(SESSION_FILE_PATH=str(tmp_path), **settings))
    alice.hears()
    header = settings.get("CSRF_HEADER_NAME", "HTTP_X_CSRFTOKEN").removeprefix("HTTP_").replace("_", "-")
    seen = "/notifications/api/inbox/seen/"
    first = alice.get("/notifications/api/csrf/").json()["token"]
    assert alice.ask("POST", seen, headers={header: first}).status_code == 200
    alice.get("/leave/")
    assert alice.ask("GET", "/notifications/api/csrf/").status_code == 401
    alice.get("/enter/", name="alice")  # in another tab
    assert alice.ask("POST", seen, headers={header: first}).json()["code"] == "csrf"
    answer = alice.ask("GET", "/notifications/api/csrf/")
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert alice.ask("POST", seen, headers={header: answer.json()["token"]}).status_code == 200


def test_a_language_may_have_a_script_and_a_region(site: Site, alice: User) -> None:
    languages = ["zh-hant", "sr-latn", "de-ch", "pt-br", "en-au", "es-419"]
    server = site(
        ROOT_URLCONF="tests.surroundings.urls_in_languages",
        LANGUAGE_CODE="en",
        LANGUAGES=[(name, name) for name in ("en", *languages)],
        **LOCALE,
    )
    for language in languages:
        hears(server, alice, f"/{language}/notifications/stream/")
        assert httpx.get(f"{server.url}/{language}/language/").text == language
    is_carried(server, alice, "/zh-hant/notifications/stream/")


SHAPES = {"people.Bare": "a@example.org", "people.Nameless": "alice", "people.Numbered": "4711"}


@pytest.mark.parametrize("model", SHAPES)
def test_a_user_model_may_have_any_shape(model: str, site: Site, tmp_path: Path) -> None:
    apps = ["tests.surroundings.people"]
    settings = {"AUTH_USER_MODEL": model, "MORE_APPS": apps, "NOTIFICATIONS_HANDLE": ""}
    url = f"sqlite:///{tmp_path}/people.sqlite3"
    migrate(url, **settings)
    server = site(database_url=url, **settings)
    user = Visitor(server, SHAPES[model])
    user.hears()
    assert ("has no groups" in user.get("/group/").text) == (model != "people.Nameless")
    asyncio.run(chat_in_a_room(user))
    assert "heard" in user.get("/notifications/").text
    for name in ("notice", "notification", "message", "room", "membership"):
        listed = user.get(f"/admin/carillon/{name}/").text
        assert "1 " in listed
        user.get(f"/admin/carillon/{name}/1/change/")
    form = user.get("/admin/carillon/broadcast/add/").text
    assert ("include_groups" in form) == (model == "people.Nameless")
    user.get("/admin/carillon/broadcast/")


def test_what_follows_a_write_does_not_come_from_a_replica_that_lags(site: Site, alice: User, tmp_path: Path) -> None:
    notify(alice, "old")
    replica = tmp_path / "replica.sqlite3"
    with connection.cursor() as cursor:
        cursor.execute("VACUUM INTO %s", [str(replica)])  # as it was at this moment, for good
    reader = Visitor(site(REPLICA=str(replica)))
    with reader.stream() as stream:
        reset = stream.next("reset")
        reader.get("/tell/", title="new")
        (new,) = stream.next("changes")["items"]
        old = reset["items"][0]["id"]
        assert reader.post(f"/notifications/api/inbox/{old}/read/")["unread"] == 1
        answer = reader.post(f"/notifications/api/inbox/{new['id']}/read/")
        assert (answer["item"]["title"], answer["unread"], answer["item"]["read_at"] is None) == ("new", 0, False)
    with reader.stream() as stream:
        assert stream.next("hello")["unread"] == 0
        assert [item["title"] for item in stream.next("reset")["items"]] == ["new", "old"]
    listed = reader.get("/notifications/api/inbox/").json()
    assert [item["title"] for item in listed["items"]] == ["new", "old"]
    assert reader.get("/notifications/api/counts/").json() == {"cursor": listed["cursor"], "unread": 0, "unseen": 0}
    assert "new" in reader.get("/notifications/").text
    room = reader.get("/room/").json()["room"]
    assert [found["info"]["id"] for found in reader.get("/notifications/api/rooms/").json()["rooms"]] == [room]
    assert reader.get(f"/notifications/api/rooms/{room}/messages/").json()["messages"] == []


WITHOUT_CARILLON = [name for name in INSTALLED_APPS if name != "notifications"]
ISOLATION: dict[str, dict[str, Any]] = {
    "read committed": {"isolation_level": 2},
    "repeatable read": {"isolation_level": 3},
    "serializable": {"isolation_level": 4},
    "the server's own": {"options": "-c default_transaction_isolation=serializable"},
}


def test_the_app_can_be_removed_and_users_deleted_then(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/removed.sqlite3"
    migrate(url)
    store = "from tests.factories import make_user, tell; tell(make_user('alice'), 'told')"
    delete = "from django.contrib.auth.models import User; User.objects.get().delete()"
    run("manage.py", "shell", "-c", store, url)
    run("manage.py", "migrate", "carillon", "zero", "--verbosity=0", url)
    removed = {"INSTALLED_APPS": WITHOUT_CARILLON, "ROOT_URLCONF": "tests.surroundings.urls_empty"}
    run("manage.py", "shell", "-c", delete, url, **removed)
    run("manage.py", "remove_stale_contenttypes", "--no-input", "--include-stale-apps", url, **removed)


class TestOnPostgreSQL:
    """Sites on PostgreSQL, with a database that is made once."""

    @pytest.fixture
    def site(self, site: Site, database: str) -> Site:
        return partial(site, database_url=database)

    def test_a_pool_of_one_connection_serves_streams_sockets_and_pages(self, site: Site) -> None:
        pool = {"OPTIONS": {"pool": {"min_size": 1, "max_size": 1, "timeout": 5}}}
        alice = Visitor(site(DATABASE=pool))
        with alice.stream() as stream:
            stream.next("reset")
            asyncio.run(chat_in_a_room(alice))
            for number in range(3):
                alice.get("/tell/", title=f"{number}")
            assert stream.titles(3) == ["0", "1", "2"]
            assert alice.get("/notifications/api/counts/").json()["unread"] == 3

    def test_writers_who_meet_at_any_isolation_level_all_succeed(self, database: str) -> None:
        def contend(options: dict[str, Any]) -> Any:
            return json.loads(run("-m", "tests.surroundings.contend", database, DATABASE={"OPTIONS": options}))

        with ThreadPoolExecutor() as pool:
            told = dict(zip(ISOLATION, pool.map(contend, ISOLATION.values()), strict=True))
        well = {"failed": {}, "messages": 1 + THREADS * ROUNDS, "notifications": ROUNDS, "unread": 0, "waiting": 0}
        assert told == dict.fromkeys(ISOLATION, well)

    def test_a_site_whose_transactions_are_serializable_is_told_at_once(self, site: Site) -> None:
        server = site(DATABASE={"OPTIONS": ISOLATION["serializable"], "ATOMIC_REQUESTS": True})
        Visitor(server).hears()


async def chat_in_a_room(visitor: Visitor) -> None:
    """Open a room over a socket and say something in it."""
    room = visitor.get("/room/").json()["room"]
    async with Person(visitor.url, visitor.cookie) as person:
        assert (await person.send("room.open", room=room))["type"] == "ack"
        assert (await person.send("message.send", room=room, id=str(uuid4()), body="said"))["type"] == "ack"


def migrate(url: str, **settings: Any) -> None:
    """Make the tables of a site in an empty database."""
    run("manage.py", "migrate", "--verbosity=0", "--run-syncdb", url, **settings)


def run(*words: str, **settings: Any) -> str:
    """Run a program in a site's surroundings; the last word is the address of its database. Return what it prints."""
    *command, url = words
    env = {**os.environ, **environment(url, settings="tests.surroundings.settings"), "SETTINGS": json.dumps(settings)}
    done = subprocess.run(
        [sys.executable, *command], env=env, cwd=ROOT, check=False, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
