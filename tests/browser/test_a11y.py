"""axe finds nothing: on every page, in every state, light and dark, left to right and right to left."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import axe_playwright_python
import pytest
from playwright.sync_api import Browser, Page, Route, expect

from .conftest import Demo

pytestmark = pytest.mark.browser

AXE = Path(axe_playwright_python.__file__).parent / "axe.min.js"
RUN = """async () => {
  const { violations } = await axe.run(document, { resultTypes: ["violations"] });
  return violations.map(({ id, nodes }) => [id, ...nodes.map(({ html, failureSummary }) => html + failureSummary)]);
}"""

Scheme = Literal["light", "dark"]


@pytest.fixture(params=["light", "dark"])
def scheme(request: pytest.FixtureRequest) -> Scheme:
    value: Scheme = request.param
    return value


@pytest.fixture(params=["en", "ar"])
def page(request: pytest.FixtureRequest, scheme: Scheme, demo: Demo, browser: Browser) -> Iterator[Page]:
    """Open the welcome page; axe needs to be let in past the content security policy."""
    context = browser.new_context(
        base_url=demo.server.url, color_scheme=scheme, locale=request.param, bypass_csp=True, reduced_motion="reduce"
    )
    page = context.new_page()
    page.goto("/")
    yield page
    context.close()


def sign_in(page: Page, name: str = "alice") -> None:
    page.goto("/sign-in/")
    page.locator("#id_username").fill(name)
    page.locator("#id_password").fill(name)
    page.locator("main button").click()
    expect(page.locator("connection-status[state=live]").first).to_be_attached()


def ring(page: Page) -> None:
    page.locator("notification-bell .bell").click()


def check(page: Page) -> None:
    page.evaluate(AXE.read_text())
    assert page.evaluate(RUN) == []


def test_welcome_and_sign_in(page: Page) -> None:
    check(page)
    page.goto("/sign-in/")
    check(page)


def test_home_with_toasts(page: Page) -> None:
    sign_in(page)
    for level in ("info", "success", "error"):
        page.locator(f"form.levels [value={level}]").first.click()
    expect(page.locator("notification-toasts li")).to_have_count(3)
    check(page)


def test_panel(page: Page) -> None:
    sign_in(page)
    ring(page)
    expect(page.locator("notification-bell li")).to_have_count(7)
    check(page)
    page.locator("notification-bell li").first.hover()
    check(page)


def test_empty_panel(page: Page) -> None:
    sign_in(page, "admin")
    ring(page)
    expect(page.locator("notification-bell .note")).to_be_visible()
    check(page)


def test_panel_that_could_not_load(page: Page) -> None:
    def refuse(route: Route) -> None:
        route.fulfill(status=500, body="{}")

    sign_in(page)
    page.route("**/api/inbox/?*", refuse)
    ring(page)
    expect(page.locator("notification-bell .note")).to_be_visible()
    check(page)


def test_list_page(page: Page) -> None:
    sign_in(page)
    page.goto("/notifications/")
    expect(page.locator("notification-list li.item")).to_have_count(7)
    check(page)


def test_page_of_the_server(page: Page) -> None:
    sign_in(page)
    page.route("**/notifications/*.js", lambda route: route.abort())
    page.goto("/notifications/")
    expect(page.locator(".notifications-item")).to_have_count(7)
    check(page)


def test_lost_connection(page: Page, demo: Demo) -> None:
    sign_in(page)
    demo.server.kill()
    expect(page.locator("connection-status[variant=banner]")).to_have_attribute("shown", "", timeout=30_000)
    expect(page.locator("connection-status[variant=banner]").get_by_role("button")).to_be_visible(timeout=60_000)
    check(page)
