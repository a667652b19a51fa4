"""Attention, not an open connection, decides whether something was seen, and so whether it is sent by other ways."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.sending import PATH

from .conftest import Demo, Visitor, manage

pytestmark = pytest.mark.browser

Visit = Callable[..., Visitor]

# What the browser says of a tab that nobody looks at. All tabs of this one say of themselves that they have the focus.
LOOK = """([visible, focused]) => {
  const get = () => (visible ? "visible" : "hidden");
  Object.defineProperty(document, "visibilityState", { get, configurable: true });
  document.hasFocus = () => focused;
  document.dispatchEvent(new Event("visibilitychange"));
  window.dispatchEvent(new Event(focused ? "focus" : "blur"));
}"""

# Send the notification with a letter that waits a quarter of an hour, and let that pass; say what became of it.
SEND = """
from datetime import timedelta
from django.contrib.auth.models import User
from notifications.kinds import After, Kind, kind
from notifications.services import notify
@kind("test.letter", channels={"letter": After(minutes=15)})
class Letter(Kind):
    title = "A letter"
notify(User.objects.get(username="alice"), Letter())
"""
PASS = """
from datetime import timedelta
from django.db.models import F
from notifications.kinds import After, Kind, kind
from notifications.models import Delivery
from notifications.services import deliver_due
from tests.sending import Carrier, Post
@kind("test.letter", channels={"letter": After(minutes=15)})
class Letter(Kind):
    title = "A letter"
Carrier.post = Post()
Delivery.objects.update(due_at=F("due_at") - timedelta(minutes=16))
deliver_due()
print([*Delivery.objects.values_list("state", "reason"), len(Carrier.post.arrived)])
"""


class Letters:
    """A site that sends letters after a quarter of an hour, to whoever has not seen what they say."""

    def __init__(self, demo: Demo, capfd: pytest.CaptureFixture[str]) -> None:
        self.demo = demo
        self._capfd = capfd

    def send(self) -> None:
        """Send the notification."""
        self._run(SEND)

    def after_a_quarter_of_an_hour(self) -> str:
        """Return what became of the letter, and how many have arrived."""
        self._capfd.readouterr()
        self._run(PASS)
        return self._capfd.readouterr().out.strip()

    def _run(self, lines: str) -> None:
        channels = f"settings.NOTIFICATIONS_CHANNELS = {{'letter': {{'BACKEND': {PATH!r}}}}}\n"
        settings = f"from django.conf import settings\n{channels}"
        manage(self.demo.database, "shell", "--no-imports", "-v", "0", "-c", settings + lines)


@pytest.fixture
def letters(demo: Demo, capfd: pytest.CaptureFixture[str]) -> Letters:
    return Letters(demo, capfd)


SEEN = "[('skipped', 'seen'), 0]"
SENT = "[('sent', ''), 1]"


def look(page: Page, *, visible: bool = True, focused: bool = True) -> None:
    page.evaluate(LOOK, [visible, focused])


def marks_as_seen(page: Page) -> Any:
    return page.expect_response("**/api/inbox/seen/")


def test_who_reads_in_the_bell_within_the_delay_gets_no_letter(visit: Visit, letters: Letters) -> None:
    alice = visit("alice")
    before = alice.count()
    letters.send()
    expect(alice.bell).to_have_attribute("count", str(before + 1))
    with marks_as_seen(alice.page):
        alice.ring()
    assert letters.after_a_quarter_of_an_hour() == SEEN


@pytest.mark.parametrize(("visible", "focused"), [(False, False), (True, False)], ids=["hidden", "unfocused"])
def test_who_has_only_a_tab_that_nobody_looks_at_gets_it(
    visit: Visit, letters: Letters, visible: bool, focused: bool
) -> None:
    alice = visit("alice")
    with marks_as_seen(alice.page):
        alice.ring()  # the panel stays open
    expect(alice.bell).to_have_attribute("count", "0")
    look(alice.page, visible=visible, focused=focused)
    letters.send()
    expect(alice.bell).to_have_attribute("count", "1")
    assert letters.after_a_quarter_of_an_hour() == SENT


def test_in_an_open_panel_it_is_seen_when_it_is_shown(visit: Visit, letters: Letters) -> None:
    alice = visit("alice")
    with marks_as_seen(alice.page):
        alice.ring()
    letters.send()
    fresh = alice.bell.get_by_role("button", name="1 new", exact=True)
    expect(fresh).to_be_visible()
    expect(alice.bell).to_have_attribute("count", "1")
    with marks_as_seen(alice.page):
        fresh.click()
    expect(alice.bell).to_have_attribute("count", "0")
    assert letters.after_a_quarter_of_an_hour() == SEEN


def test_a_toast_alone_is_not_seen(visit: Visit, letters: Letters) -> None:
    alice = visit("alice")
    letters.send()
    expect(alice.page.locator("notification-toasts li")).to_contain_text("A letter")
    assert letters.after_a_quarter_of_an_hour() == SENT


def inbox(visitor: Visitor) -> Page:
    """Open the inbox page and wait until it is live, and has marked as seen what it shows."""
    visitor.page.mouse.move(0, 0)  # nothing moves under the pointer
    with marks_as_seen(visitor.page):
        visitor.page.goto("/notifications/")
    visitor.until_live()
    expect(visitor.page.locator("notification-list li.item").first).to_be_visible()
    return visitor.page


def test_in_the_inbox_it_is_seen_when_somebody_looks_again(visit: Visit, letters: Letters) -> None:
    alice = visit("alice")
    page = inbox(alice)
    expect(alice.bell).to_have_attribute("count", "0")
    look(page, focused=False)
    letters.send()
    expect(page.locator("notification-list li.item", has_text="A letter")).to_be_visible()
    expect(alice.bell).to_have_attribute("count", "1")
    with marks_as_seen(page):
        look(page)
    assert letters.after_a_quarter_of_an_hour() == SEEN


@pytest.mark.parametrize("query", ["?state=archived", "?q=storage"])
def test_a_list_of_something_else_does_not_show_it(visit: Visit, letters: Letters, query: str) -> None:
    alice = visit("alice")
    before = alice.count()
    alice.page.goto(f"/notifications/{query}")
    alice.until_live()
    letters.send()
    expect(alice.bell).to_have_attribute("count", str(before + 1))
    assert letters.after_a_quarter_of_an_hour() == SENT
