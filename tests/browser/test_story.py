"""The story that the whole project is for: it arrives at once, survives every loss, and every tab agrees."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from .conftest import Demo, Visitor

pytestmark = pytest.mark.browser

ONE_SECOND = 1_000  # ms
RECONNECT = 40_000  # ms; the longest backoff is 30 s


def has_count(visitor: Visitor, count: int) -> None:
    expect(visitor.bell).to_have_attribute("count", str(count))


def send(sender: Visitor, title: str) -> None:
    sender.page.get_by_label("Title").fill(title)
    sender.page.get_by_role("button", name="Send to Bob", exact=True).click()


def test_what_alice_sends_rings_bobs_bell_within_a_second_and_without_a_reload(visit: Callable[..., Visitor]) -> None:
    alice, bob = visit("alice"), visit("bob")
    before = bob.count()
    bob.page.evaluate("() => { window.sameDocument = true; }")
    send(alice, "Tea is ready")
    rung = "count => window.sameDocument && document.querySelector('notification-bell').getAttribute('count') === count"
    bob.page.wait_for_function(rung, arg=str(before + 1), timeout=ONE_SECOND)
    bob.ring()
    expect(bob.titles.first).to_have_text("Tea is ready")


def test_a_killed_server_costs_no_notification(demo: Demo, visit: Callable[..., Visitor]) -> None:
    bob = visit("bob")
    before = bob.count()
    demo.server.kill()
    demo.notify("bob", "First", "Second", "Third")
    expect(bob.status).to_have_attribute("state", "reconnecting", timeout=RECONNECT)
    demo.server.start()
    bob.until_live()
    has_count(bob, before + 3)
    bob.ring()
    expect(bob.titles.nth(2)).to_have_text("First")
    titles = bob.titles.all_text_contents()
    assert titles[:3] == ["Third", "Second", "First"]
    assert [titles.count(title) for title in titles[:3]] == [1, 1, 1]


def test_what_another_process_sends_rings_without_a_broker(demo: Demo, visit: Callable[..., Visitor]) -> None:
    bob = visit("bob")
    before = bob.count()
    demo.notify("bob", "From the shell")
    has_count(bob, before + 1)


def test_what_one_tab_marks_as_read_is_read_in_the_other(
    demo: Demo, visit: Callable[..., Visitor], second_tab: Callable[[Visitor], Visitor]
) -> None:
    demo.notify("bob", "Read me")
    first = visit("bob")
    second = second_tab(first)
    elsewhere = visit("bob")
    for visitor in (first, second, elsewhere):
        visitor.ring()
        expect(visitor.row("Read me")).to_have_class(re.compile("unread"))
    first.row("Read me").hover()
    first.row("Read me").get_by_role("button", name="Mark as read: Read me").click()
    for visitor in (first, second, elsewhere):
        expect(visitor.row("Read me")).not_to_have_class(re.compile("unread"))


def test_opening_the_bell_clears_its_number_in_every_tab(
    demo: Demo, visit: Callable[..., Visitor], second_tab: Callable[[Visitor], Visitor]
) -> None:
    demo.notify("bob", "Look at me")
    first = visit("bob")
    second = second_tab(first)
    assert second.count() > 0
    first.ring()
    has_count(first, 0)
    has_count(second, 0)


def test_signing_out_in_one_tab_ends_the_other_tabs_connection(
    visit: Callable[..., Visitor], second_tab: Callable[[Visitor], Visitor]
) -> None:
    first = visit("bob")
    second = second_tab(first)
    first.page.get_by_role("button", name="Sign out").click()
    expect(second.status).to_have_attribute("state", "signed-out")


def test_without_javascript_the_bell_is_a_link_and_the_inbox_a_page_with_forms(
    demo: Demo, visit: Callable[..., Visitor]
) -> None:
    demo.notify("bob", "Plain and simple")
    bob = visit("bob", javascript=False)
    link = bob.page.locator("notification-bell a")
    expect(link).to_have_attribute("aria-label", re.compile(r"\d+ new"))
    link.click()
    row = bob.page.locator("li", has_text="Plain and simple")
    row.get_by_role("button", name="Mark as read").click()
    row = bob.page.locator("li", has_text="Plain and simple")
    expect(row.get_by_role("button", name="Mark as unread")).to_be_visible()
