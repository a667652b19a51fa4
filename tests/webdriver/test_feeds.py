"""Feeds in every engine: a live part, a value and a log, over a server that is killed and comes back."""

from __future__ import annotations

from typing import Any

import pytest

import project.feeds  # noqa: F401  # declares what the demo's page follows
from notifications.services import publish

from .conftest import Site, Tab, wait

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("driver", ["firefox", "webkit"], indirect=True)]

SEEN = """
    const text = (selector) => document.querySelector(selector)?.textContent.trim();
    return {
        order: text("live-part strong"),
        price: text("live-value[key=ACME]"),
        journal: Array.from(document.querySelectorAll("[data-journal] p"), (line) => line.textContent),
        states: ["live-part", "live-value[key=ACME]"].map((one) => document.querySelector(one)?.getAttribute("state")),
    };
"""


def happen(state: str, price: float, *lines: str) -> None:
    """Publish in all feeds of the demo's page."""
    publish("orders:42", {"state": state})
    publish("prices", {"symbol": "ACME", "price": price})
    for line in lines:
        publish("journal", {"level": "info", "text": line})


def until_seen(tab: Tab, expected: dict[str, Any]) -> None:
    """Wait until the page shows something, and nothing else."""
    wait(lambda: tab.run(SEEN) == expected, str(expected))


def test_what_a_page_follows_ends_right_although_its_server_was_killed(tab: Tab, site: Site) -> None:
    tab.driver.get(f"{site.home}live/")
    tab.until_live()
    live = {"states": ["live", "live"]}
    until_seen(tab, {"order": "new", "price": "–", "journal": [], **live})
    happen("packed", 1.5, "one")
    until_seen(tab, {"order": "packed", "price": "1.50", "journal": ["one"], **live})

    site.server.kill()
    happen("shipped", 2.5, "two", "three")
    until_seen(tab, {"order": "packed", "price": "1.50", "journal": ["one"], "states": ["stale", "stale"]})
    site.server.start()
    until_seen(tab, {"order": "shipped", "price": "2.50", "journal": ["one", "two", "three"], **live})
    happen("delivered", 3.5, "four")
    until_seen(tab, {"order": "delivered", "price": "3.50", "journal": ["one", "two", "three", "four"], **live})
