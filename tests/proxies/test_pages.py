"""A page of the demo behind a proxy, in Chromium: the site dies or hangs, and the proxy answers in its place."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Response, expect

from tests.browser.conftest import Demo, Visitor, new_page
from tests.servers import proxies
from tests.servers.process import ServerProcess

pytestmark = [pytest.mark.browser, pytest.mark.thorough]

SETTINGS = {"settings": "tests.live_settings", "words": ["--proxy-headers"]}
PATIENCE = 4  # seconds of silence after which the proxy gives the site up


@pytest.fixture
def demo(tmp_path: Path, seeded: Path) -> Iterator[Demo]:
    site = Demo(tmp_path, seeded, env={"HEARTBEAT": "1.5"}, **SETTINGS)
    site.server.start()
    yield site
    site.server.kill()


@pytest.fixture
def proxy(name: str, demo: Demo, tmp_path: Path) -> Iterator[ServerProcess]:
    server = proxies.proxy(name, demo.server.port, folder=tmp_path, idle=PATIENCE)
    server.start()
    yield server
    server.kill()


@pytest.fixture
def visitor(proxy: ServerProcess, browser: Browser) -> Iterator[Visitor]:
    page = new_page(browser, f"https://127.0.0.1:{proxy.port}", ignore_https_errors=True)
    yield Visitor(page)
    page.context.close()


def is_the_proxys(response: Response) -> bool:
    return "/stream/" in response.url and response.status in (502, 503, 504)


def test_a_page_outlives_what_a_proxy_says_in_the_sites_place(visitor: Visitor, demo: Demo) -> None:
    page = visitor.page
    page.goto("/")
    page.get_by_role("button", name="Sign in as Alice").click()
    visitor.until_live()
    version = "performance.getEntriesByType('navigation')[0].nextHopProtocol"
    assert page.evaluate(version) == "h2"

    def through(gone: Callable[[], None], back: Callable[[], None], title: str) -> None:
        """Take the site away until the proxy has said so twice, and see that the page finds what it has missed."""
        gone()
        expect(visitor.status).not_to_have_attribute("state", "live")
        for _ in range(2):
            page.wait_for_event("response", is_the_proxys)
        demo.notify("alice", title)
        back()
        visitor.until_live()
        visitor.ring()
        expect(visitor.row(title)).to_be_visible()
        visitor.ring()

    through(demo.server.kill, demo.server.start, "After it died")
    group = os.getpgid(demo.server.pid)
    through(lambda: os.killpg(group, signal.SIGSTOP), lambda: os.killpg(group, signal.SIGCONT), "After it hung")
