"""People say when they want to be told, and find the browser's time zone preset."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from .axe import faults
from .conftest import Demo, new_page

pytestmark = pytest.mark.browser

PAGE = "/notifications/preferences/"


@pytest.fixture
def demo(tmp_path: Path, seeded: Path) -> Iterator[Demo]:
    """Serve the demo site, which has a channel beyond the page."""
    site = Demo(tmp_path, seeded, settings="tests.browser.sending_settings")
    site.server.start()
    yield site
    site.server.kill()


def settings_page(demo: Demo, browser: Browser, **options: object) -> Page:
    page = new_page(browser, demo.server.url, timezone_id="America/New_York", bypass_csp=True, **options)
    page.goto("/sign-in/alice/")
    page.goto("/")
    page.locator("form button").first.click()
    page.goto(PAGE)
    expect(page.locator("notification-preferences form > button")).to_be_hidden()
    return page


def test_the_browsers_zone_is_preset_and_stored_when_it_is_saved(demo: Demo, browser: Browser) -> None:
    page = settings_page(demo, browser)
    zone = page.get_by_label("Time zone")
    expect(zone).to_have_value("America/New_York")
    page.get_by_label("Quiet hours 1: from").fill("22:00")
    page.get_by_label("Quiet hours 1: until").fill("07:00")
    page.get_by_role("checkbox", name="Quiet hours 1: Sunday").uncheck()
    page.get_by_role("button", name="Save the times").click()
    expect(page.get_by_role("status").filter(has_text="Your settings were saved.")).to_be_visible()
    expect(page.get_by_label("Quiet hours 1: from")).to_have_value("22:00")
    expect(page.get_by_role("checkbox", name="Quiet hours 1: Sunday")).not_to_be_checked()
    zone.select_option("Europe/Berlin")
    page.get_by_role("button", name="Save the times").click()
    expect(zone).to_have_value("Europe/Berlin")
    page.reload()
    expect(page.locator("notification-preferences form > button")).to_be_hidden()
    expect(zone).to_have_value("Europe/Berlin")
    page.context.close()


@pytest.mark.thorough
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en", "de", "ar"])
def test_axe_finds_nothing_and_nothing_is_wider_than_a_telephone(
    demo: Demo, browser: Browser, scheme: str, language: str
) -> None:
    narrow = {"width": 360, "height": 700}
    page = settings_page(demo, browser, locale=language, color_scheme=scheme, viewport=narrow)
    page.locator("details summary").last.click()
    assert faults(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") == narrow["width"]
    page.context.close()
