"""Notifications that know what they are: told in the language of their reader, as one however often it happens."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, expect

from .conftest import Demo, Visitor, manage, new_page
from .test_growing import watch

pytestmark = pytest.mark.browser

SOON = 15_000  # ms; for what a second process does

# The clock goes on to the end of every snooze.
DUE = """
from django.utils import timezone
from notifications.models import Notification
from notifications.services import release_due
Notification.objects.exclude(snoozed_until=None).update(snoozed_until=timezone.now())
release_due()
"""


def test_the_history_and_what_comes_next_are_in_the_language_that_the_reader_switches_to(
    demo: Demo, browser: Browser
) -> None:
    alice = Visitor(new_page(browser, demo.server.url, locale="de"))
    page = alice.page
    page.goto("/")
    page.locator("form[action='/sign-in/alice/'] button").click()
    alice.until_live()
    page.get_by_role("button", name="Eine Bestellung absenden").click()
    expect(page.locator("notification-toasts .toast .title")).to_have_text("„Handbell in C“ ist unterwegs")
    page.get_by_role("button", name="العربيّة").click()
    expect(page.locator("html")).to_have_attribute("dir", "rtl")
    alice.until_live()
    page.get_by_role("button", name="ادعُني").click()
    expect(page.locator("notification-toasts .toast .title")).to_have_text("هل ستحضر «St Mary, 6 December»؟")
    alice.ring()
    expect(alice.titles.nth(0)).to_have_text("هل ستحضر «St Mary, 6 December»؟")
    expect(alice.titles.nth(1)).to_have_text("«Handbell in C» في الطريق")
    assert alice.faults == []
    page.context.close()


def test_fifty_comments_are_one_item_and_one_toast_which_is_snoozed_and_comes_back(
    demo: Demo, visit: Callable[..., Visitor]
) -> None:
    alice = visit("alice")
    page = alice.page
    before = alice.count()
    watch(page)
    page.get_by_role("button", name="Bob comments 50 times").click()
    toast = page.locator("notification-toasts .toast")
    expect(toast.locator(".tally")).to_contain_text("Events: 50", timeout=SOON)
    expect(toast).to_have_count(1)
    assert page.evaluate("toasted") == 1
    assert alice.count() == before + 1
    alice.ring()
    row = alice.row("commented on “Evening changes”")
    expect(row).to_have_count(1)
    expect(row.locator(".tally")).to_contain_text("50")
    row.locator(".main").focus()
    page.keyboard.press("s")
    alice.bell.get_by_role("button", name="Tomorrow morning").click()
    expect(row).to_have_count(0)
    manage(demo.database, "shell", "--no-imports", "-v", "0", "-c", DUE)
    expect(row).to_have_count(1, timeout=SOON)
    expect(row.locator(".tally")).to_contain_text("50")
    assert page.evaluate("toasted") == 1


def test_an_invitation_is_answered_in_its_row_and_in_every_tab(visit: Callable[..., Visitor]) -> None:
    alice = visit("alice")
    second = Visitor(alice.page.context.new_page())
    second.page.goto("/notifications/")
    alice.page.get_by_role("button", name="Invite me").click()
    theirs = second.page.locator("notification-list li", has_text="St Mary, 6 December")
    expect(theirs.get_by_role("button", name="Reject")).to_be_visible(timeout=SOON)
    alice.ring()
    mine = alice.row("St Mary, 6 December")
    mine.get_by_role("button", name="Approve").click()
    for row in (mine, theirs):
        expect(row.locator(".outcome")).to_contain_text("Approved", timeout=SOON)
        expect(row.get_by_role("button", name="Reject")).to_have_count(0)
