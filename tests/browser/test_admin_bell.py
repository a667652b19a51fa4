"""The bell in the header of Django's admin: there, live, and in the admin's own colours, light and dark."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from .axe import faults
from .conftest import Demo, Visitor

pytestmark = pytest.mark.browser

COLOURS = """() => {
  const { color } = getComputedStyle(document.querySelector("#header"));
  const { backgroundColor } = getComputedStyle(document.body);
  const { shadowRoot } = document.querySelector("notification-bell");
  const [bell, panel] = [".bell", ".panel"].map((name) => getComputedStyle(shadowRoot.querySelector(name)));
  return [bell.color, panel.backgroundColor, panel.textTransform, color, backgroundColor];
}"""


@pytest.fixture
def staff(demo: Demo, browser: Browser) -> Iterator[Visitor]:
    """Sign the administrator in; axe needs to be let in past the content security policy."""
    context = browser.new_context(base_url=demo.server.url, locale="en-GB", bypass_csp=True, reduced_motion="reduce")
    visitor = Visitor(context.new_page())
    page = visitor.page
    page.goto("/admin/")
    page.get_by_label("Username").fill("admin")
    page.get_by_label("Password").fill("admin")
    page.get_by_role("button", name="Log in").click()
    yield visitor
    context.close()
    assert visitor.faults == []


def test_the_admins_bell_is_live_and_wears_the_admins_colours(demo: Demo, staff: Visitor) -> None:
    bell, page = staff.bell, staff.page
    expect(page.locator("#header").get_by_role("button", name="Notifications")).to_be_visible()
    demo.notify("admin", "The tower clock is slow", "The rope is worn")
    expect(bell).to_have_attribute("count", "2")
    staff.ring()
    expect(staff.titles).to_have_text(["The rope is worn", "The tower clock is slow"])
    expect(bell).to_have_attribute("count", "0")

    backgrounds: set[str] = set()
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        bell_colour, background, case, header_colour, page_background = page.evaluate(COLOURS)
        assert (bell_colour, background, case) == (header_colour, page_background, "none")
        assert faults(page, "notification-bell") == []
        backgrounds.add(background)
    assert len(backgrounds) == 2

    staff.row("The rope is worn").hover()
    staff.row("The rope is worn").get_by_role("button", name="Mark as read").click()
    expect(staff.row("The rope is worn")).not_to_have_class(re.compile("unread"))
    page.keyboard.press("Escape")
    expect(bell.get_by_role("dialog")).to_be_hidden()
