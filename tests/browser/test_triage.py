"""What people do with many notifications: by mouse, by touch, by keyboard alone, and in several tabs."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Locator, expect

from .axe import faults
from .conftest import Demo, Visitor, manage, new_page
from .test_elements import refuse

pytestmark = pytest.mark.browser

Visit = Callable[..., Visitor]

SOON = 15_000  # ms; for what a second process does


class Inbox:
    """The inbox page of somebody."""

    def __init__(self, visitor: Visitor) -> None:
        self.visitor = visitor
        self.page = visitor.page
        self.list = self.page.locator("notification-list")
        self.rows = self.list.locator("li.item")
        self.titles = self.rows.locator(".title")
        self.undo = self.list.locator(".undo")

    def open(self, query: str = "") -> Inbox:
        self.page.goto(f"/notifications/{query}")
        expect(self.list.locator(".card")).to_be_visible()
        return self

    def row(self, title: str) -> Locator:
        return self.rows.filter(has_text=title)

    def press(self, name: str) -> None:
        self.list.get_by_role("button", name=name, exact=True).click()

    def focus(self, title: str) -> None:
        self.row(title).locator(".main").focus()


@pytest.fixture
def inbox(visit: Visit) -> Inbox:
    return Inbox(visit("alice"))


def test_archive_all_says_its_scope_and_undo_restores_all_of_it_in_every_tab(demo: Demo, inbox: Inbox) -> None:
    demo.notify("alice", *(f"Number {number}" for number in range(233)))
    second = Inbox(Visitor(inbox.page.context.new_page())).open()
    inbox.open()
    expect(inbox.list.get_by_role("button", name="Archive 240", exact=True)).to_be_visible()
    inbox.press("Archive 240")
    expect(inbox.undo).to_contain_text("Archived: 240")
    for tab in (inbox, second):
        expect(tab.list).to_contain_text("You are all caught up", timeout=SOON)
        assert tab.visitor.count() == 0
    inbox.undo.get_by_role("button", name="Undo").click()
    for tab in (inbox, second):
        expect(tab.titles.first).to_have_text("Number 232", timeout=SOON)
        expect(tab.list.get_by_role("button", name="Archive 240", exact=True)).to_be_visible(timeout=SOON)
    expect(inbox.undo).to_be_hidden()


def test_undo_waits_for_who_is_at_it_and_goes_by_itself(inbox: Inbox) -> None:
    page = inbox.open().page
    page.clock.install()
    inbox.row("Morning bells").get_by_role("button", name="Archive").click()
    expect(inbox.undo).to_contain_text("Archived: 1")
    inbox.undo.hover()
    page.clock.run_for(60_000)
    expect(inbox.undo).to_be_visible()
    page.mouse.move(2, 2)
    page.clock.run_for(9_000)
    expect(inbox.undo).to_be_visible()
    page.clock.run_for(1_500)
    expect(inbox.undo).to_be_hidden()
    expect(inbox.row("Morning bells")).to_have_count(0)


def test_the_verbs_work_by_keyboard_alone_and_can_be_switched_off(inbox: Inbox) -> None:
    page = inbox.open().page
    inbox.focus("Morning bells")
    page.keyboard.press("u")
    expect(inbox.row("Morning bells").and_(inbox.list.locator(":not(.unread)"))).to_have_count(1)
    page.keyboard.press("u")
    expect(inbox.row("Morning bells").and_(inbox.list.locator(".unread"))).to_have_count(1)
    page.keyboard.press("p")
    expect(inbox.titles.first).to_have_text("“Morning bells” is ready")
    expect(inbox.rows.first.get_by_role("heading", name="Pinned")).to_be_visible()
    page.keyboard.press("e")
    expect(inbox.row("Morning bells")).to_have_count(0)
    page.keyboard.press("z")
    expect(inbox.row("Morning bells")).to_have_count(1)
    page.keyboard.press("/")
    expect(inbox.list.get_by_role("searchbox", name="Search in titles")).to_be_focused()
    page.keyboard.type("export")  # letters are no verbs there
    expect(inbox.titles).to_have_text(["Your export is complete"])
    inbox.focus("Your export")
    page.keyboard.press("?")
    help_ = inbox.list.get_by_role("dialog", name="Keyboard shortcuts")
    expect(help_).to_contain_text("Mark as read or unread")
    help_.get_by_role("checkbox", name="Use keyboard shortcuts").uncheck()
    page.keyboard.press("Escape")
    inbox.focus("Your export")
    page.keyboard.press("e")
    page.keyboard.press("?")
    expect(help_).to_be_hidden()
    expect(inbox.row("Your export")).to_have_count(1)


def test_keys_are_heard_only_where_the_list_has_the_focus(inbox: Inbox) -> None:
    page = inbox.open().page
    inbox.visitor.bell.get_by_role("button").first.focus()
    page.keyboard.press("?")
    expect(inbox.list.get_by_role("dialog")).to_have_count(0)
    inbox.focus("Morning bells")
    page.keyboard.press("Control+e")
    expect(inbox.row("Morning bells")).to_have_count(1)


def test_rows_are_chosen_together_and_what_the_button_says_happens(inbox: Inbox) -> None:
    page = inbox.open().page
    boxes = inbox.list.get_by_role("checkbox", name="Select:")
    titles = inbox.titles.all_text_contents()
    boxes.nth(1).click()
    boxes.nth(3).click(modifiers=["Shift"])
    expect(inbox.list.locator(".count")).to_have_text("3 selected")
    inbox.press("Archive 3")
    expect(inbox.titles).to_have_text([titles[0], *titles[4:]])
    page.keyboard.press("z")
    expect(inbox.titles).to_have_text(titles)
    inbox.focus(titles[0])
    page.keyboard.press("x")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("x")
    expect(inbox.list.locator(".count")).to_have_text("2 selected")
    inbox.list.get_by_role("checkbox", name="Select all").click()
    expect(inbox.list.get_by_role("button", name=f"Archive {len(titles)}", exact=True).last).to_be_visible()
    inbox.press("Clear selection")
    expect(inbox.list.locator(".selected")).to_be_hidden()
    expect(boxes.first).not_to_be_checked()


def test_what_is_snoozed_leaves_every_tab_is_listed_and_comes_back_on_top(demo: Demo, inbox: Inbox) -> None:
    inbox.open()
    second = Inbox(Visitor(inbox.page.context.new_page())).open()
    inbox.focus("Your export is complete")
    inbox.page.keyboard.press("s")
    dialog = inbox.list.get_by_role("dialog", name="Snooze until")
    dialog.get_by_role("button", name="Tomorrow morning").click()
    expect(inbox.undo).to_contain_text("Snoozed: 1")
    for tab in (inbox, second):
        expect(tab.row("Your export is complete")).to_have_count(0, timeout=SOON)
    inbox.list.get_by_role("link", name="Snoozed").click()
    expect(inbox.row("Your export is complete").locator(".meta")).to_contain_text("until ")
    due = "from notifications.models import Notification; from notifications.services import release_due; "
    due += "from django.utils import timezone; "
    due += "Notification.objects.exclude(snoozed_until=None).update(snoozed_until=timezone.now()); release_due()"
    manage(demo.database, "shell", "--no-imports", "-v", "0", "-c", due)
    expect(second.titles.first).to_have_text("Your export is complete", timeout=SOON)
    expect(second.rows.first.and_(second.list.locator(".unread"))).to_have_count(1)
    expect(inbox.list).to_contain_text("Nothing is snoozed", timeout=SOON)


def test_a_snooze_that_is_refused_is_taken_back_and_said(inbox: Inbox) -> None:
    inbox.open()
    inbox.page.route("**/snooze/", refuse)
    inbox.row("Morning bells").get_by_role("button", name="Snooze").click()
    inbox.list.get_by_role("button", name="On Monday").click()
    expect(inbox.list.get_by_role("alert")).to_contain_text("Could not snooze.")
    expect(inbox.row("Morning bells")).to_have_count(1)
    expect(inbox.undo).to_be_hidden()


def test_a_list_is_narrowed_and_searched_and_its_address_keeps_that(inbox: Inbox) -> None:
    page = inbox.open().page
    narrow = inbox.list.get_by_role("combobox", name="Categories and kinds")
    expect(narrow.locator("option:checked")).to_have_text("Everything (7)")
    narrow.select_option(label="Comments (2)")
    expect(inbox.rows).to_have_count(2)
    expect(inbox.list.get_by_role("button", name="Archive 2", exact=True)).to_be_visible()
    inbox.list.get_by_role("searchbox").fill("evening")
    expect(inbox.titles).to_have_text(["New comment on “Evening changes”"])
    expect(inbox.list.locator(".archive-all")).to_be_hidden()  # the server is not asked for just these
    page.reload()
    expect(inbox.list.locator(".card")).to_be_visible()
    expect(inbox.titles).to_have_text(["New comment on “Evening changes”"])
    expect(inbox.list.get_by_role("searchbox")).to_have_value("evening")
    inbox.list.get_by_role("searchbox").fill("no such thing")
    expect(inbox.list).to_contain_text("Nothing found")


@pytest.mark.parametrize("language", ["en", "ar"])
def test_it_is_large_enough_for_fingers_and_has_no_fault_on_a_narrow_screen(
    demo: Demo, browser: Browser, language: str
) -> None:
    phone = {
        "viewport": {"width": 360, "height": 740},
        "has_touch": True,
        "is_mobile": True,
        "reduced_motion": "reduce",
    }
    page = new_page(browser, demo.server.url, locale=language, bypass_csp=True, **phone)
    page.goto("/sign-in/")
    page.locator("#id_username").fill("alice")
    page.locator("#id_password").fill("alice")
    page.locator("main button").click()
    page.wait_for_url("/")
    page.goto("/notifications/")
    rows = page.locator("notification-list li.item")
    expect(rows).to_have_count(7)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert faults(page) == []
    rows.first.locator("input").check()
    assert faults(page) == []
    targets = page.locator("notification-list :is(button, .check, .field, .filter)").locator("visible=true")
    boxes = [target.bounding_box() for target in targets.all()]
    assert len(boxes) > 30
    assert all(box and min(box["width"], box["height"]) >= 44 for box in boxes)
    page.locator("notification-list .selected .text").last.click()
    expect(page.locator("notification-list dialog[open]")).to_be_visible()
    assert faults(page) == []
    page.context.close()
