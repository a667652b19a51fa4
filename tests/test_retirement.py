"""A worker that retires without a signal sends bye to its clients and ends, and another one serves them."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from django.contrib.auth.models import User

from notifications.live.listeners import Listeners
from notifications.services import notify
from tests.servers.asgi import APPLICATION, ROOT, environment
from tests.servers.process import ServerProcess, free_port
from tests.streaming import EventStream, cookies

REQUESTS = 4  # that a worker serves

SERVERS = {
    "uvicorn": ["uvicorn", "--port={port}", f"--limit-max-requests={REQUESTS}", APPLICATION],
    "gunicorn with uvicorn's worker": [
        *["gunicorn", "--bind=127.0.0.1:{port}", "--worker-class=uvicorn_worker.UvicornWorker"],
        *[f"--max-requests={REQUESTS}", APPLICATION],
    ],
    "gunicorn with its own worker": [
        *["gunicorn", "--bind=127.0.0.1:{port}", "--worker-class=asgi", f"--max-requests={REQUESTS}", APPLICATION],
    ],
    "hypercorn": ["hypercorn", "--bind=127.0.0.1:{port}", f"--max-requests={REQUESTS}", APPLICATION],
}


@pytest.fixture
def server(request: pytest.FixtureRequest, database_url: str, tmp_path: Path) -> Iterator[ServerProcess]:
    port = free_port()
    words = [word.format(port=port) for word in SERVERS[request.param]]
    process = ServerProcess(
        [sys.executable, "-m", *words], port=port, log=tmp_path / "log", env=environment(database_url), cwd=ROOT
    )
    process.start()
    yield process
    process.kill()


@pytest.mark.servers
@pytest.mark.parametrize("server", SERVERS, indirect=True)
def test_a_worker_that_has_served_its_requests_says_goodbye(
    server: ServerProcess, transactional_db: None, request: pytest.FixtureRequest
) -> None:
    alice = User.objects.create_user("alice")
    cookie = cookies(alice)
    with EventStream(server.url, cookie) as stream:
        position = stream.next("reset")["cursor"]
        for _ in range(REQUESTS):
            httpx.get(f"{server.url}/notifications/api/counts/", headers={"Cookie": cookie})
        assert stream.next("bye")["reason"] == "drain"
        with pytest.raises(EOFError):
            stream.next()
    assert server.process is not None
    if request.node.callspec.id == "uvicorn":  # whose supervisor is somebody else
        assert server.process.wait(timeout=10) == 0
        server.start()
    notify(alice, "missed")
    with EventStream(server.url, cookie, position) as stream:
        assert stream.titles(1) == ["missed"]


def test_only_the_servers_own_sockets_are_watched() -> None:
    with socket.create_server(("127.0.0.1", 0)) as own, socket.create_server(("127.0.0.1", 0)) as other:
        listeners = Listeners(own.getsockname())
        assert not listeners.closed()
        own.close()
        assert listeners.closed()
        assert not Listeners(other.getsockname()).closed()


def test_a_unix_socket_is_watched_too(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as own, socket.create_server(("127.0.0.1", 0)):
        own.bind(str(tmp_path / "s"))
        own.listen()
        listeners = Listeners((str(tmp_path / "s"), None))
        assert not listeners.closed()
        own.close()
        assert listeners.closed()
