"""The demo site answers under every ASGI server that it is promised to run under, and ends when it is asked to."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from tests.servers.asgi import KINDS
from tests.servers.process import ServerProcess


@pytest.mark.parametrize("kind", KINDS)
def test_the_demo_answers_and_ends_in_time(kind: str, asgi_server: Callable[..., ServerProcess]) -> None:
    server = asgi_server(kind)
    assert httpx.get(f"{server.url}/notifications/api/counts/").status_code == 401
    server.stop()


def test_a_killed_server_comes_back_on_its_port(asgi_server: Callable[..., ServerProcess]) -> None:
    server = asgi_server("uvicorn")
    server.kill()
    with pytest.raises(httpx.ConnectError):
        httpx.get(server.url)
    server.start()
    assert httpx.get(f"{server.url}/notifications/api/counts/").status_code == 401
