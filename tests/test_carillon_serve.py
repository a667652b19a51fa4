"""`manage.py carillon_serve`: real workers serve beside a WSGI site, end in time, and are replaced without a loss."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import websockets
from django.contrib.auth.models import User
from django.utils import timezone

from notifications.audiences import Audience
from notifications.broadcasts.publishing import publish_broadcast
from notifications.models import Broadcast
from notifications.services import notify
from notifications.serving.servers import GRACE, SERVERS
from tests.fresh_project import FreshProject
from tests.servers.asgi import ROOT
from tests.servers.process import STARTUP, ServerProcess, free_port, wait_until
from tests.servers.serving import Serving, gone
from tests.streaming import EventStream, cookies
from tests.wschat import Person

pytestmark = [pytest.mark.servers, pytest.mark.django_db(transaction=True)]

COUNTS = "/notifications/api/counts/"
Serve = Callable[..., Serving]
DAPHNE_TOO = ["uvicorn", pytest.param("daphne", marks=pytest.mark.thorough)]


@pytest.fixture
def serve(database_url: str, tmp_path: Path) -> Iterator[Serve]:
    """Return a function that starts `carillon_serve` with some words, beside no site at all."""
    started: list[Serving] = []

    def start(*words: str, **env: str) -> Serving:
        server = Serving(*words, folder=tmp_path, database_url=database_url, env=env)
        started.append(server)
        server.start()
        return server

    yield start
    for server in started:
        workers = server.workers() if server.process and server.process.poll() is None else []
        server.kill()
        _wait_until_gone(workers)


def _wait_until_gone(workers: list[int]) -> None:
    wait_until(lambda: all(map(gone, workers)), "A worker outlived its supervisor.")


@pytest.fixture
def alice(transactional_db: None) -> User:
    return User.objects.create_user("alice")


@pytest.mark.parametrize("server", SERVERS)
def test_at_sigterm_everybody_is_told_and_the_command_ends(server: str, serve: Serve, alice: User) -> None:
    serving = serve(f"--server={server}", "--workers=2")
    cookie = cookies(alice)

    async def chat_until_the_end() -> str:
        async with Person(serving.url, cookie) as person:
            await person.next("hello")
            serving.signal(signal.SIGTERM)
            return str((await person.next("bye"))["reason"])

    with EventStream(serving.url, cookie) as stream, EventStream(serving.url, cookie) as other:
        for one in (stream, other):
            one.next("reset")
        notify(alice, "heard")
        assert stream.titles(1) == ["heard"]
        begun = time.monotonic()
        assert asyncio.run(chat_until_the_end()) == "drain"
        for one in (stream, other):
            assert one.next("bye")["reason"] == "drain"
            with pytest.raises(EOFError):
                one.next()
    assert serving.end() == 0
    assert time.monotonic() - begun < GRACE


@pytest.mark.thorough
def test_a_client_that_does_not_read_does_not_hold_up_the_end(serve: Serve, alice: User) -> None:
    serving = serve()
    with socket.create_connection(("127.0.0.1", serving.port)) as lazy, EventStream(serving.url, cookies(alice)) as one:
        lazy.sendall(b"POST /notifications/api/inbox/seen/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n")
        one.next("reset")
        assert serving.end() == 0


@pytest.mark.parametrize("server", SERVERS)
def test_a_worker_that_is_killed_is_replaced(server: str, serve: Serve, alice: User) -> None:
    serving = serve(f"--server={server}")
    cookie = cookies(alice)
    with EventStream(serving.url, cookie) as stream:
        position = stream.next("reset")["cursor"]
        before = serving.workers()
        os.kill(before[0], signal.SIGKILL)
        with pytest.raises((EOFError, ConnectionError)):
            stream.next()
    notify(alice, "missed")
    serving.wait_until_live()
    with EventStream(serving.url, cookie, position) as stream:
        assert stream.titles(1) == ["missed"]
    assert serving.workers() != before
    assert "ended (SIGKILL); another one starts in" in serving.output()


@pytest.mark.parametrize("server", DAPHNE_TOO)
def test_a_worker_that_has_served_its_requests_is_replaced_without_a_loss(
    server: str, serve: Serve, alice: User
) -> None:
    serving = serve(f"--server={server}", "--max-requests=10")
    cookie = cookies(alice)
    before = serving.workers()
    with EventStream(serving.url, cookie) as stream:
        position = stream.next("reset")["cursor"]
        for _ in range(10):
            assert httpx.get(f"{serving.url}{COUNTS}", headers={"Cookie": cookie}).status_code == 200
        serving.wait_for_other_workers(before)
        assert stream.next("bye")["reason"] == "drain"
    notify(alice, "missed")
    with EventStream(serving.url, cookie, position) as stream:
        assert stream.titles(1) == ["missed"]


def test_workers_are_replaced_for_their_age(serve: Serve) -> None:
    serving = serve("--max-age=1")
    serving.wait_for_other_workers(serving.workers())


def test_sighup_replaces_all_workers_one_by_one_and_refuses_nobody(serve: Serve, alice: User) -> None:
    serving = serve("--workers=2")
    cookie = cookies(alice)
    before = serving.workers()
    with EventStream(serving.url, cookie) as stream:
        stream.next("reset")
        serving.signal(signal.SIGHUP)
        while {*serving.workers()} & {*before}:
            assert httpx.get(f"{serving.url}/readyz").text == "ok\n"
        assert stream.next("bye")["reason"] == "drain"
    serving.wait_for_other_workers(before)


def test_workers_do_not_outlive_their_supervisor(serve: Serve, alice: User) -> None:
    serving = serve("--workers=2")
    workers = serving.workers()
    with EventStream(serving.url, cookies(alice)) as stream:
        stream.next("reset")
        serving.kill()
        assert stream.next("bye")["reason"] == "drain"
    _wait_until_gone(workers)


@pytest.mark.parametrize("server", DAPHNE_TOO)
def test_what_nobody_waits_for_is_done_without_a_request(server: str, serve: Serve, alice: User) -> None:
    soon = timezone.now() + timedelta(seconds=1)
    publish_broadcast(Broadcast(title="Due", audience=Audience.of("everyone").dump(), publish_at=soon))
    serve(f"--server={server}")
    wait_until(lambda: Broadcast.objects.get().published_at is not None, "Nobody has published what was due.")


@pytest.mark.parametrize("server", DAPHNE_TOO)
def test_sockets_are_not_compressed_and_have_a_bound(server: str, serve: Serve, alice: User) -> None:
    serving, cookie = serve(f"--server={server}"), cookies(alice)

    async def write_much() -> tuple[list[Any], int | None]:
        async with Person(serving.url, cookie) as person:
            await person.next("hello")
            await person.wire.send("x" * 300_000)
            with pytest.raises(websockets.ConnectionClosed):
                await person.next("nothing more")
            return list(person.wire.protocol.extensions), person.wire.close_code

    assert asyncio.run(write_much()) in (([], 1009), ([], 1006))  # Daphne cuts the connection


@pytest.mark.parametrize("server", DAPHNE_TOO)
def test_a_unix_socket_will_do(server: str, serve: Serve, alice: User, tmp_path: Path) -> None:
    path = tmp_path / "socket"
    serving = serve(f"--server={server}", "--uds", str(path))
    with httpx.Client(transport=httpx.HTTPTransport(uds=str(path)), base_url="http://localhost") as client:
        headers = {"Cookie": cookies(alice), "Accept": "text/event-stream"}
        with client.stream("GET", "/notifications/stream/", headers=headers) as stream:
            lines = stream.iter_lines()
            assert "event: hello" in lines
            serving.signal(signal.SIGTERM)
            assert "event: bye" in lines
    assert serving.end() == 0
    assert not path.exists()


def test_systemd_is_told_of_start_and_end(serve: Serve, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(30)
        serving = serve("--workers=2", NOTIFY_SOCKET=str(tmp_path / "notify"))
        assert systemd.recv(100) == b"READY=1"
        assert serving.end() == 0
        assert systemd.recv(100) == b"STOPPING=1"


def test_a_site_that_cannot_start_ends_the_command(serve: Serve) -> None:
    with pytest.raises(RuntimeError, match=r"ended with 1:[\s\S]*no_such_middleware[\s\S]*could not start"):
        serve(SETTINGS='{"LAST_MIDDLEWARE": ["tests.surroundings.middleware.no_such_middleware"]}')


@pytest.mark.thorough
def test_a_broken_deploy_leaves_the_workers_that_serve(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "fragile.py").write_text("from django.contrib.sessions.middleware import SessionMiddleware as M\n")
    serving = serve(SETTINGS='{"LAST_MIDDLEWARE": ["fragile.M"]}', PYTHONPATH=f"{tmp_path}:{ROOT}")
    before = serving.workers()
    (tmp_path / "fragile.py").write_text("raise RuntimeError('a typing error')\n")
    serving.signal(signal.SIGHUP)
    wait_until(lambda: serving.output().count("another one starts in") == 2, "It was not tried again.")
    assert {*before} <= {*serving.workers()}
    assert httpx.get(f"{serving.url}/readyz").text == "ok\n"
    (tmp_path / "fragile.py").write_text("from django.contrib.sessions.middleware import SessionMiddleware as M\n")
    serving.wait_for_other_workers(before)


@pytest.mark.thorough
@pytest.mark.parametrize("server", SERVERS)
def test_in_development_the_whole_site_is_served_and_begins_anew_at_changes(server: str, tmp_path: Path) -> None:
    project = FreshProject(tmp_path)
    project.run("manage.py", "migrate", "--verbosity=0")
    port = free_port()
    developing = ServerProcess(
        [sys.executable, "manage.py", "carillon_serve", "--reload", f"--port={port}", f"--server={server}"],
        port=port,
        log=tmp_path / "log",
        env={"PYTHONPATH": str(ROOT), "DJANGO_SETTINGS_MODULE": "mysite.settings"},
        cwd=tmp_path,
    )
    developing.start()
    try:
        for path in ("/admin/login/", "/static/notifications/notifications.js"):
            assert httpx.get(developing.url + path, timeout=STARTUP).status_code == 200
        accept = {"Accept": "text/event-stream"}
        assert httpx.get(f"{developing.url}/notifications/stream/", headers=accept).json()["code"] == "signed-out"
        project.append("mysite/urls.py", 'urlpatterns += [path("new/", include("notifications.urls", "new"))]\n')
        wait_until(lambda: _status(f"{developing.url}/new/api/counts/") == 401, developing.output())
    finally:
        developing.kill()


def _status(url: str) -> int:
    """Return the status of an answer; 0 where nobody listens for a moment."""
    try:
        return httpx.get(url).status_code
    except httpx.TransportError:
        return 0
