"""People choose what they get: at once, in all their tabs, without JavaScript too, and from an item."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect

from .axe import faults
from .conftest import Demo, Visitor, new_page

pytestmark = pytest.mark.browser

Visit = Callable[..., Visitor]
PAGE = "/notifications/preferences/"
READY = "A recording is ready: Inbox"


def switch(page: Page, name: str) -> Locator:
    return page.get_by_role("checkbox", name=name)


def settings(visitor: Visitor) -> Page:
    """Open the settings and wait until they are live."""
    visitor.page.goto(PAGE)
    expect(visitor.page.get_by_role("button", name="Save", exact=True)).to_be_hidden()
    visitor.until_live()
    return visitor.page


def test_a_choice_is_saved_at_once_and_the_other_tab_follows(
    visit: Visit, second_tab: Callable[[Visitor], Visitor]
) -> None:
    alice = visit("alice")
    page = settings(alice)
    other = settings(second_tab(alice))
    switch(page, READY).uncheck()
    expect(switch(other, READY)).not_to_be_checked()
    switch(other, "Everything in “Recordings”: Inbox").uncheck()
    expect(switch(page, "An upload failed: Inbox")).not_to_be_checked()
    page.reload()
    expect(switch(page, READY)).not_to_be_checked()


def test_what_the_server_refuses_is_as_before_and_says_why(visit: Visit) -> None:
    page = settings(visit("alice"))

    def refuse(route: Route) -> None:
        if route.request.method == "POST":
            route.fulfill(status=500, content_type="application/json", body="{}")
        else:
            route.continue_()

    page.route("**/api/preferences/", refuse)
    switch(page, READY).click()
    expect(page.get_by_role("alert")).to_contain_text("Could not save.")
    expect(switch(page, READY)).to_be_checked()
    page.unroute("**/api/preferences/")
    switch(page, READY).click()
    expect(page.get_by_role("alert")).to_have_text("")
    page.reload()
    expect(switch(page, READY)).not_to_be_checked()


def test_without_javascript_it_is_a_form_with_a_button(visit: Visit) -> None:
    alice = visit("alice", javascript=False)
    alice.page.goto(PAGE)
    switch(alice.page, READY).uncheck()
    expect(switch(alice.page, "Your storage is almost full: Inbox")).to_be_disabled()
    alice.page.get_by_role("button", name="Save", exact=True).click()
    expect(alice.page.get_by_role("status")).to_have_text("Your settings were saved.")
    expect(switch(alice.page, READY)).not_to_be_checked()


def test_an_item_is_muted_with_all_like_it_and_the_other_tab_follows(
    visit: Visit, second_tab: Callable[[Visitor], Visitor]
) -> None:
    alice = visit("alice")
    page = settings(second_tab(alice))
    alice.ring()
    row = alice.row("“Morning bells” is ready").first
    row.hover()
    row.get_by_role("button", name="Mute notifications like this").click()
    expect(alice.row("“Morning bells” is ready")).to_have_count(0)
    expect(switch(page, READY)).not_to_be_checked()
    switch(page, READY).check()
    expect(alice.row("“Morning bells” is ready").first).to_be_visible()


@pytest.mark.thorough
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en", "de", "ar"])
def test_axe_finds_nothing_and_nothing_is_wider_than_a_telephone(
    demo: Demo, browser: Browser, scheme: str, language: str
) -> None:
    narrow = {"width": 360, "height": 700}
    page = new_page(browser, demo.server.url, locale=language, bypass_csp=True, color_scheme=scheme, viewport=narrow)
    page.goto("/sign-in/alice/")
    page.goto("/")
    page.locator("form button").first.click()
    page.goto(PAGE)
    expect(page.locator("notification-preferences form > button")).to_be_hidden()
    assert faults(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") == narrow["width"]
    page.context.close()
