"""What a worker of `carillon_serve` answers: Carillon's URLs wherever the site has them, probes, and nothing else."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator, Mapping
from types import SimpleNamespace
from typing import Any

import pytest
from channels.testing import ApplicationCommunicator, WebsocketCommunicator
from django.core.management import CommandError, call_command
from django.db import connections
from django.test import Client, override_settings

from notifications.consumers import SUBPROTOCOL
from notifications.live import http, relay
from notifications.serving import servers, worker
from notifications.serving.application import NOT_HERE, Application
from notifications.serving.listening import CannotListen, listen, listen_unix, remove

COUNTS = "/notifications/api/counts/"
URLS = "tests.surroundings.urls"


def ask(path: str, *, method: str = "GET", **headers: str) -> tuple[int, str, dict[str, str]]:
    """Ask a worker's application; return status, text and headers."""
    return asyncio.run(_ask(path, method, {"host": "localhost", **headers}))


async def _ask(path: str, method: str, headers: Mapping[str, str]) -> tuple[int, str, dict[str, str]]:
    application = Application(lambda: None, lambda: None)
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": b"",
        "scheme": "http",
        "client": ("127.0.0.1", 1),
        "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()],
    }
    asked = ApplicationCommunicator(application, scope)
    await asked.send_input({"type": "http.request", "body": b""})
    start = await asked.receive_output(10)
    body = (await asked.receive_output(10)).get("body", b"")
    await asked.wait()
    return start["status"], body.decode(), {name.decode().lower(): value.decode() for name, value in start["headers"]}


@pytest.fixture(autouse=True)
def surroundings() -> Iterator[None]:
    with override_settings(ROOT_URLCONF=URLS):
        yield


# What is served


def test_carillons_urls_are_answered() -> None:
    assert ask(COUNTS)[0] == 401


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("path", ["/admin/", "/admin/login/", "/ticker/", "/notifications/nothing/", "/nothing/", "/"])
def test_other_urls_of_the_site_are_not(path: str, method: str) -> None:
    assert ask(path, method=method)[:2] == (404, NOT_HERE)


def test_streams_of_the_site_are_not_either() -> None:
    assert ask("/ticker/", accept="text/event-stream")[:2] == (404, NOT_HERE)


@override_settings(FORCE_SCRIPT_NAME="/shop")
@pytest.mark.parametrize("path", ["/shop/notifications/api/counts/", COUNTS])
def test_a_script_name_holds_whether_the_proxy_removes_it_or_not(path: str) -> None:
    assert ask(path)[0] == 401


@override_settings(MIDDLEWARE=["tests.surroundings.middleware.urlconf_by_host"])
def test_a_host_may_have_urls_of_its_own() -> None:
    assert ask("/live/api/counts/", host="localhost")[0] != 404
    assert ask(COUNTS, host="localhost")[:2] == (404, NOT_HERE)
    assert ask("/notifications/stream/", host="localhost", accept="text/event-stream")[:2] == (404, NOT_HERE)
    assert ask("/live/api/counts/", host="127.0.0.1")[:2] == (404, NOT_HERE)


@override_settings(
    ROOT_URLCONF="tests.surroundings.urls_in_languages",
    MIDDLEWARE=["django.middleware.locale.LocaleMiddleware", "django.middleware.common.CommonMiddleware"],
)
def test_a_languages_prefix_is_added_as_the_site_does() -> None:
    status, _, headers = ask("/notifications/", accept_language="de")
    assert (status, headers["location"]) == (302, "/de/notifications/")


def test_a_host_that_is_not_allowed_is_refused() -> None:
    assert ask(COUNTS, host="evil.example")[0] == 400


@override_settings(SECURE_SSL_REDIRECT=True)
def test_a_proxys_word_counts_only_if_the_settings_say_so() -> None:
    told = {"x_forwarded_proto": "https"}
    assert ask(COUNTS, **told)[0] == 301
    with override_settings(SECURE_PROXY_SSL_HEADER=("HTTP_X_FORWARDED_PROTO", "https")):
        assert ask(COUNTS, **told)[0] == 401


def test_sockets_are_refused_but_the_chats() -> None:
    async def connects(path: str) -> bool:
        application = Application(lambda: None, lambda: None)
        socket = WebsocketCommunicator(
            application, path, headers=[(b"host", b"localhost"), (b"origin", b"http://localhost")]
        )
        socket.scope |= {"subprotocols": [SUBPROTOCOL]}
        connected, _ = await socket.connect(10)
        await socket.disconnect()
        return bool(connected)

    assert asyncio.run(connects("/notifications/ws/"))
    assert not asyncio.run(connects("/other/"))
    assert not asyncio.run(connects("/livez"))


def test_requests_are_counted_and_probes_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    one = worker.Worker(max_requests=5)
    said: list[bytes] = []
    monkeypatch.setattr(one, "_send", said.append)
    monkeypatch.setattr(relay, "current", lambda: SimpleNamespace(connections=lambda: 0))
    for _ in range(5):
        one._count()
    assert said == [worker.REPLACE]


def test_a_worker_is_replaced_for_its_requests_only_after_ten_of_each_client(monkeypatch: pytest.MonkeyPatch) -> None:
    one = worker.Worker(max_requests=5)
    said: list[bytes] = []
    monkeypatch.setattr(one, "_send", said.append)
    monkeypatch.setattr(relay, "current", lambda: SimpleNamespace(connections=lambda: 4))
    for _ in range(39):
        one._count()
    assert said == []
    one._count()
    assert said == [worker.REPLACE]


# Probes


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
def test_a_probe_needs_no_host_that_is_allowed(path: str, transactional_db: None) -> None:
    assert ask(path, host="10.1.2.3")[:2] == (200, "ok\n")


def test_who_drains_is_not_ready_but_lives() -> None:
    async def ask_while_draining(path: str) -> tuple[int, str]:
        relay.current().draining = True
        return (await _ask(path, "GET", {}))[:2]

    assert asyncio.run(ask_while_draining("/readyz")) == (503, "draining\n")
    assert asyncio.run(ask_while_draining("/livez")) == (200, "ok\n")


@pytest.mark.django_db(transaction=True)
def test_who_cannot_reach_the_database_is_not_ready_but_lives(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    unreachable = {"NAME": "/nowhere/at.all", "HOST": "127.0.0.1", "PORT": "1"}
    monkeypatch.setattr(connections, "settings", {"default": connections.settings["default"] | unreachable})
    assert ask("/readyz")[:2] == (503, "database\n")
    assert ask("/livez")[:2] == (200, "ok\n")
    assert "the database does not answer" in caplog.text


# How it is started


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--workers=0"], "--workers must be at least 1"),
        (["--port=70000"], "--port must be from 0"),
        (["--uds=/tmp/x", "--port=8001"], "either --uds, or --host and --port"),
        (["--max-requests=-1"], "--max-requests must be at least 1, or 0"),
        (["--max-age=-1"], "--max-age must be at least 1, or 0"),
        (["--reload"], "needs DEBUG = True"),
        (["--reload", "--workers=2"], "leave out --workers"),
        (["--server=apache"], "invalid choice: 'apache'"),
    ],
)
def test_what_cannot_be_meant_is_refused(words: list[str], said: str) -> None:
    with pytest.raises(CommandError, match=said):
        call_command("carillon_serve", *words)


def test_a_port_that_is_taken_is_told_of() -> None:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CommandError, match=f"Cannot listen on 127.0.0.1, port {port}: another program does"):
            call_command("carillon_serve", f"--port={port}")


def test_a_unix_socket_that_was_left_over_is_replaced_and_one_in_use_is_not(tmp_path: Any) -> None:
    path = tmp_path / "socket"
    with listen_unix(path), pytest.raises(CannotListen, match="another program does"):
        listen_unix(path)
    listen_unix(path).close()  # that of the closed one lies there still
    (tmp_path / "file").write_text("precious")
    with pytest.raises(CannotListen):
        listen_unix(tmp_path / "file")
    assert (tmp_path / "file").read_text() == "precious"


def test_who_ends_leaves_the_socket_of_a_successor_that_listens_there(tmp_path: Any) -> None:
    path = tmp_path / "socket"
    with listen_unix(path):
        first = path.stat().st_ino
    (tmp_path / "holds its number").hardlink_to(path)
    with listen_unix(path):
        remove(path, first)
        assert path.is_socket()
        remove(path, path.stat().st_ino)
        assert not path.exists()
    remove(path, first)


def test_without_a_server_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(servers, "find_spec", lambda name: None)
    with pytest.raises(CommandError, match=r'pip install "django-carillon\[uvicorn\]"'):
        call_command("carillon_serve")
    monkeypatch.setattr(servers, "find_spec", lambda name: name == "daphne")
    assert servers.choose() == "daphne"
    with pytest.raises(servers.NoServer, match=r'uvicorn is not installed: .* "django-carillon\[uvicorn\]"'):
        servers.choose("uvicorn")


def test_limits_differ_from_worker_to_worker_and_are_never_exceeded() -> None:
    limits = [worker.below(1_000) for _ in range(100)]
    assert 800 <= min(limits) < max(limits) <= 1_000


# What runserver says


@pytest.mark.django_db
@pytest.mark.parametrize("debug", [True, False])
def test_a_development_server_under_wsgi_says_what_keeps_streams_open(
    debug: bool, client: Client, django_user_model: Any, caplog: pytest.LogCaptureFixture
) -> None:
    http._say_once.cache_clear()
    client.force_login(django_user_model.objects.create_user("alice"))
    with override_settings(DEBUG=debug), caplog.at_level(logging.WARNING, "notifications"):
        for _ in range(2):
            assert client.get("/notifications/stream/").status_code == 501
    assert caplog.text.count("carillon_serve --reload") == int(debug)
