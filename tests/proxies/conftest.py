"""The demo site behind each of the three proxies, whose certificate nobody knows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.browser.conftest import browser, playwright, seeded
from tests.servers import proxies
from tests.servers.process import ServerProcess
from tests.streaming import TIMEOUT, EventStream

__all__ = ["browser", "playwright", "seeded"]  # fixtures


class Proxied:
    """A site, and the proxy in front of it."""

    def __init__(self, name: str, site: ServerProcess, folder: Path, idle: int) -> None:
        self.name = name
        self.site = site
        self.proxy = proxies.proxy(name, site.port, folder=folder, idle=idle)
        self.url = f"https://127.0.0.1:{self.proxy.port}"
        self.proxy.start()

    def logged(self, text: str, times: int = 1) -> bool:
        """Return whether the site has logged something so often."""
        return self.site.output().count(text) >= times


class _Lines:
    """A response as `EventStream` reads one."""

    def __init__(self, response: httpx.Response) -> None:
        self.close = response.close
        self._lines = response.iter_lines()

    def readline(self) -> bytes:
        line = next(self._lines, None)
        return b"" if line is None else f"{line}\n".encode()


class ProxiedStream(EventStream):
    """A stream through a proxy, over HTTP/1.1 or HTTP/2, from somebody who would take it compressed too."""

    def __init__(self, client: httpx.Client, cookie: str, last_event_id: str = "", **headers: str) -> None:
        headers |= {"Accept": "text/event-stream", "Cookie": cookie, "Last-Event-ID": last_event_id}
        asked = client.build_request("GET", "/notifications/stream/", headers=headers)
        self.answer = client.send(asked, stream=True)
        self.response = _Lines(self.answer)  # type: ignore[assignment]
        self.last_event_id = last_event_id

    def close(self) -> None:
        self.answer.close()


@pytest.fixture(params=proxies.MAKERS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def behind(name: str, asgi_server: Callable[..., ServerProcess], tmp_path: Path) -> Iterator[Callable[..., Proxied]]:
    """Return a function that starts the demo site behind a proxy; its arguments are settings of Carillon's."""
    started: list[Proxied] = []

    def start(*, idle: int = proxies.IDLE, **settings: Any) -> Proxied:
        env = {setting: str(value) for setting, value in settings.items()}
        site = asgi_server("uvicorn", settings="tests.live_settings", env=env)
        started.append(Proxied(name, site, tmp_path, idle))
        return started[-1]

    yield start
    for one in started:
        one.proxy.kill()


@pytest.fixture
def client() -> Iterator[Callable[..., httpx.Client]]:
    """Return a function that makes a client of a URL, which speaks HTTP/1.1 alone or HTTP/2."""
    made: list[httpx.Client] = []

    def make(url: str, version: str = "HTTP/2", address: str | None = None) -> httpx.Client:
        limits = httpx.Limits(max_connections=None if version == "HTTP/1.1" else 1)
        transport = httpx.HTTPTransport(
            verify=False, http1=version == "HTTP/1.1", http2=version == "HTTP/2", limits=limits, local_address=address
        )
        made.append(httpx.Client(transport=transport, base_url=url, timeout=TIMEOUT))
        return made[-1]

    yield make
    for one in made:
        one.close()
