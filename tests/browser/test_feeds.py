"""Feeds in the browser: what is followed shows, over one connection, whatever happens to tabs, servers and networks."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from .conftest import Demo, Visitor, manage

pytestmark = pytest.mark.browser

SOON = 15_000  # ms; a change from another process is found within a second


def publish(demo: Demo, *events: tuple[str, dict[str, object]]) -> None:
    """Publish events, each in a transaction of its own, from a second process."""
    lines = ["import json", "from notifications.services import publish"]
    lines += [f"publish({name!r}, json.loads({json.dumps(data)!r}))" for name, data in events]
    manage(demo.database, "shell", "--no-imports", "-v", "0", "-c", "\n".join(lines))


def test_a_page_shows_what_is_published(demo: Demo, visit: Callable[..., Visitor]) -> None:
    publish(demo, ("prices", {"symbol": "ACME", "price": 1234.5}))
    alice = visit("alice")
    alice.page.goto("/live/")
    price = alice.page.locator("live-value[key=ACME]")
    expect(price).to_have_text("1,234.50", timeout=SOON)
    expect(price).to_have_attribute("state", "live")
    order = alice.page.locator("live-part")
    expect(order).to_have_attribute("state", "live")
    expect(order).to_contain_text("new")
    publish(demo, ("prices", {"symbol": "ACME", "price": 99}), ("orders:42", {"state": "packed"}))
    expect(price).to_have_text("99.00", timeout=SOON)
    expect(order).to_contain_text("packed", timeout=SOON)
    expect(order).to_have_attribute("state", "live")
