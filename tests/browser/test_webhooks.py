"""The demo's webhooks: a page of the demo receives them over HTTP, and verifies them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from .axe import faults
from .conftest import Visitor

pytestmark = pytest.mark.browser

LOOKS = 200  # at the page, which takes some 50 ms


def look_for(page: Page, text: str) -> None:
    """Look until something has arrived."""
    for _ in range(LOOKS):
        page.goto("/webhooks/")
        if page.get_by_text(text).count():
            return
    raise AssertionError(f"No {text} has arrived.")


def test_what_reaches_a_visitor_reaches_the_page(visit: Callable[..., Visitor]) -> None:
    page = visit("alice").page
    page.goto("/webhooks/")
    page.get_by_role("button", name="Send my notifications here").click()
    look_for(page, "This is a test")
    page.goto("/")
    page.get_by_role("button", name="Send off an order").click()
    look_for(page, "demo.order.v")
    expect(page.locator("pre").first).to_contain_text('"facts"')
    assert faults(page) == []
