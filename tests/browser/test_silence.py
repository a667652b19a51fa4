"""Connections that die without a word: no FIN and no RST comes, and only the missing heartbeat tells."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.servers.faults import FaultProxy

from .conftest import Demo, Visitor

pytestmark = [pytest.mark.browser, pytest.mark.thorough]

HEARTBEAT = 2  # seconds; the shortest that the server, which looks once a second, keeps
LOST = (2 * HEARTBEAT + 2) * 1_000  # ms; two heartbeats, and the grace for a late timer

LISTEN = """() => {
  window.told = [];
  globalThis[Symbol.for("carillon")].on("state", ({ to }) => told.push(to));
}"""


def black_hole(proxy: FaultProxy) -> None:
    """Pull the cable: nothing arrives in either direction, on new connections neither."""
    proxy.black_hole()


def half_open(proxy: FaultProxy) -> None:
    """Lose the server's machine: its connections look open, and newcomers are told to wait."""
    proxy.busy()
    proxy.half_open()


@pytest.fixture
def demo(tmp_path: Path, seeded: Path) -> Iterator[Demo]:
    """Serve the demo site with a heartbeat that a test can wait for."""
    site = Demo(tmp_path, seeded, settings="tests.live_settings", env={"HEARTBEAT": str(HEARTBEAT)})
    site.server.start()
    yield site
    site.server.kill()


@pytest.mark.parametrize("fault", [black_hole, half_open])
def test_a_silent_loss_is_noticed_told_and_made_good(
    demo: Demo,
    browser: Browser,
    fault_proxy: Callable[[int], FaultProxy],
    visit: Callable[..., Visitor],
    fault: Callable[[FaultProxy], None],
) -> None:
    proxy = fault_proxy(demo.server.port)
    bob = visit("bob", through=proxy)
    before = bob.count()
    bob.page.evaluate(LISTEN)

    fault(proxy)
    demo.notify("bob", "First", "Second")
    bob.page.wait_for_function("() => told.includes('reconnecting')", timeout=LOST)
    assert bob.page.evaluate("() => told.slice(0, 2)") == ["stale", "reconnecting"]
    expect(bob.status).to_have_attribute("tone", "wait")
    assert bob.count() == before
    bob.ring()  # the panel says it in words
    expect(bob.bell.locator(".status .label")).to_have_text(re.compile(r"(Rec|C)onnecting…"))
    demo.notify("bob", "Third")

    proxy.heal()
    expect(bob.status).to_have_attribute("tone", "good")
    expect(bob.titles.nth(3)).to_be_visible()
    assert bob.titles.all_text_contents()[:3] == ["Third", "Second", "First"]
    expect(bob.bell.locator("li", has_text=re.compile("First|Second|Third"))).to_have_count(3)
    expect(bob.bell).to_have_attribute("count", "0")  # for the panel shows them
