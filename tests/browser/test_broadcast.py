"""Staff broadcast from the admin, and two users have it in their bells: sent, counted, edited, recalled."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from .conftest import Demo, Visitor, new_page

pytestmark = pytest.mark.browser

LIVE = 5_000  # ms; what happens shows on the page of results within a second or two

Visit = Callable[..., Visitor]


@pytest.fixture
def staff(demo: Demo, browser: Browser) -> Iterator[Visitor]:
    """Sign the administrator in, in a city whose clocks differ from the server's."""
    page = new_page(browser, demo.server.url, timezone_id="Asia/Tokyo")
    visitor = Visitor(page)
    page.goto("/admin/login/?next=/admin/carillon/broadcast/add/")
    page.get_by_label("Username").fill("admin")
    page.get_by_label("Password").fill("admin")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("textbox", name="Title", exact=True)).to_be_visible()
    yield visitor
    page.context.close()
    assert visitor.faults == []


def compose(page: Page, title: str) -> None:
    page.get_by_role("textbox", name="Title", exact=True).fill(title)
    page.get_by_role("textbox", name="Body").fill("The frame is being painted.")
    page.get_by_label("Link").fill("/welcome/")
    page.get_by_role("group", name="Level").get_by_label("Warning").check()
    page.get_by_role("group", name="Audiences").first.get_by_label("Everyone").check()


def figure(page: Page, name: str) -> str:
    return page.locator(f"#{name}").inner_text()


def test_a_broadcast_from_the_first_word_until_it_is_recalled(staff: Visitor, visit: Visit) -> None:
    alice, bob = visit("alice"), visit("bob")
    before = {visitor: visitor.count() for visitor in (alice, bob)}
    page = staff.page

    # Compose: the preview shows it, light and dark, as people will see it, and how many they are.
    compose(page, "No bells on Sunday")
    for theme in ("light", "dark"):
        preview = page.locator(f".carillon-preview[theme={theme}]")
        expect(preview.locator(".title").first).to_have_text("No bells on Sunday")
        expect(preview.locator("li").first).to_have_attribute("data-level", "warning")
    expect(page.locator("[data-count]")).to_have_text("Reaches 3 people.")

    # To me alone first.
    page.get_by_role("button", name="Save and send to me").click()
    expect(page.get_by_text("sent to you only")).to_be_visible()
    assert {visitor: visitor.count() for visitor in (alice, bob)} == before

    # Review, and send: both bells ring.
    page.get_by_role("button", name="Review and send…").click()
    expect(page.locator(".carillon-number")).to_contain_text("3 people")
    page.get_by_role("button", name="Send to 3 people").click()
    for visitor, count in before.items():
        expect(visitor.bell).to_have_attribute("count", str(count + 1), timeout=LIVE)

    # The page of results counts along, without a reload.
    expect(page.locator("[data-status]")).to_have_text("Live")
    expect(page.locator("#delivered")).to_have_text("3", timeout=LIVE)  # the admin has a bell in its header
    page.evaluate("() => { window.sameDocument = true; }")
    bob.ring()
    expect(page.locator("#seen")).to_have_text("1", timeout=LIVE)
    bob.row("No bells on Sunday").get_by_role("link").click()
    bob.page.wait_for_url("**/welcome/**")
    expect(page.locator("#clicked")).to_have_text("1", timeout=LIVE)
    assert [figure(page, name) for name in ("delivered", "seen", "read", "clicked")] == ["3", "1", "1", "1"]
    assert page.evaluate("() => window.sameDocument")
    assert page.locator("#curve-clicked").get_attribute("d") != page.locator("#curve-delivered").get_attribute("d")

    # An edit changes the open tab.
    alice.ring()
    expect(alice.row("No bells on Sunday")).to_be_visible()
    page.get_by_role("link", name="Edit").click()
    page.get_by_role("textbox", name="Title", exact=True).fill("No bells until Monday")
    page.get_by_role("button", name="Save and update open tabs").click()
    expect(alice.row("No bells until Monday")).to_be_visible(timeout=LIVE)
    expect(alice.row("No bells on Sunday")).to_have_count(0)

    # Recalled, it disappears.
    page.get_by_role("link", name="Recall…").click()
    page.get_by_role("button", name="Recall").click()
    expect(alice.row("No bells until Monday")).to_have_count(0, timeout=LIVE)
    expect(page.locator(".carillon-badge")).to_have_text("Recalled")


def test_it_is_composed_and_sent_with_the_keyboard_alone(staff: Visitor) -> None:
    keyboard = staff.page.keyboard
    staff.page.get_by_role("textbox", name="Title", exact=True).focus()
    keyboard.type("By keyboard")
    reach(staff.page, "input[name=include_names][value=everyone]")
    keyboard.press("Space")
    reach(staff.page, "button[name=_review]")
    keyboard.press("Enter")
    expect(staff.page.get_by_role("heading", name="Review and send")).to_be_visible()
    reach(staff.page, ".carillon-primary")
    keyboard.press("Enter")
    expect(staff.page.locator(".carillon-badge")).to_have_text("Sent")


def reach(page: Page, selector: str) -> None:
    """Press Tab until the element has the focus."""
    for _press in range(120):
        page.keyboard.press("Tab")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"Tab never reaches {selector}.")


def test_times_are_those_of_the_readers_own_clock(staff: Visitor) -> None:
    page = staff.page
    compose(page, "Later")
    expect(page.locator("[data-zone]").first).to_have_text("Times are in Asia/Tokyo.")
    page.get_by_label("Send at").fill("2990-01-01T03:00")
    page.get_by_role("button", name="Save draft").click()
    expect(page.get_by_label("Send at")).to_have_value("2990-01-01T03:00")
    page.get_by_role("button", name="Review and send…").click()
    moment = page.locator(".carillon-facts time").first
    expect(moment).to_contain_text("January 1, 2990 at 3:00")
    expect(moment).to_have_attribute("datetime", "2989-12-31T18:00:00+00:00")
    page.get_by_role("button", name="Schedule for 3 people").click()
    expect(page.locator(".carillon-badge")).to_have_text("Scheduled")


def test_what_was_typed_survives_a_mistake(staff: Visitor) -> None:
    page = staff.page
    compose(page, "Wrong link")
    page.get_by_label("Link").fill("javascript:alert(1)")
    page.get_by_label("Send at").fill("2020-01-01T03:00")
    page.get_by_role("button", name="Review and send…").click()
    expect(page.get_by_text("starts with http:// or https://")).to_be_visible()
    expect(page.get_by_text("This time is in the past")).to_be_visible()
    expect(page.get_by_role("textbox", name="Title", exact=True)).to_have_value("Wrong link")
    expect(page.get_by_label("Link")).to_have_value("javascript:alert(1)")
    expect(page.get_by_label("Send at")).to_have_value("2020-01-01T03:00")
    expect(page.get_by_role("group", name="Audiences").first.get_by_label("Everyone")).to_be_checked()


def test_each_language_is_written_and_previewed_in_a_tab_of_its_own(staff: Visitor, visit: Visit) -> None:
    alice = visit("alice")
    alice.page.get_by_role("button", name="Deutsch").click()
    expect(alice.page.locator("html")).to_have_attribute("lang", "de")
    page = staff.page
    compose(page, "No bells on Sunday")
    preview = page.locator(".carillon-preview[theme=light] .title").first
    english, german, arabic = (page.get_by_role("tab", name=name) for name in ("English", "Deutsch", "العربيّة"))
    english.focus()
    page.keyboard.press("ArrowRight")
    expect(german).to_be_focused()
    expect(german).to_have_attribute("aria-selected", "true")
    expect(preview).to_have_text("No bells on Sunday")  # until there is another
    page.get_by_role("textbox", name="Title").fill("Sonntag keine Glocken")
    expect(preview).to_have_text("Sonntag keine Glocken")
    arabic.click()
    page.get_by_role("textbox", name="Body").fill("بلا عنوان")
    page.get_by_role("button", name="Save draft").click()
    expect(page.get_by_role("tab", name="العربيّة")).to_have_attribute("aria-selected", "true")  # it lacks a title
    page.get_by_role("textbox", name="Body").fill("")
    page.get_by_role("button", name="Review and send…").click()
    page.get_by_role("button", name="Send to 3 people").click()
    alice.ring()
    expect(alice.titles.first).to_have_text("Sonntag keine Glocken", timeout=LIVE)
