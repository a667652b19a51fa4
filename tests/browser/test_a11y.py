"""axe finds nothing: on every page, in every state, light and dark, left to right and right to left."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect

from .axe import faults
from .conftest import Demo

pytestmark = [pytest.mark.browser, pytest.mark.thorough]

SLOW = 45_000  # ms; a conversation's socket may have to be opened again

Open = Callable[[str], Page]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory, seeded: Path) -> Iterator[Demo]:
    """Serve the demo site for all of these tests, which look and hardly touch."""
    site = Demo(tmp_path_factory.mktemp("a11y"), seeded)
    site.server.start()
    yield site
    site.server.kill()


@pytest.fixture(scope="module", params=["en", "de", "ar"])
def visitor(request: pytest.FixtureRequest, demo: Demo, browser: Browser) -> Iterator[Open]:
    """Return a function that opens the home page as somebody, or as nobody; each has one page for each language."""
    pages: dict[str, Page] = {}

    def arrive(name: str) -> Page:
        if name not in pages:
            context = browser.new_context(
                base_url=demo.server.url, locale=request.param, bypass_csp=True, reduced_motion="reduce"
            )
            page = pages[name] = context.new_page()
            if name:
                page.goto("/sign-in/")
                page.locator("#id_username").fill(name)
                page.locator("#id_password").fill(name)
                page.locator("main button").click()
                page.wait_for_url("/")
        page = pages[name]
        page.goto("/")
        if name:
            expect(page.locator("connection-status[state=live]").first).to_be_attached()
        return page

    yield arrive
    for page in pages.values():
        page.context.close()


def banner(page: Page) -> Locator:
    return page.locator("connection-status[variant=banner][shown]")


def ring(page: Page) -> None:
    page.locator("notification-bell .bell").click()


def check(page: Page, part: str = "html") -> None:
    """Look at the page, or a part of it, in both colour schemes."""
    page.emulate_media(color_scheme="dark")
    assert faults(page, part) == []
    page.emulate_media(color_scheme="light")
    assert faults(page, part) == []


def test_welcome_and_sign_in(visitor: Open) -> None:
    page = visitor("")
    check(page)
    page.goto("/sign-in/")
    page.locator("#id_username").fill("nobody")
    page.locator("#id_password").fill("nobody")
    page.locator("main button").click()
    expect(page.get_by_role("alert")).to_be_visible()
    check(page)


def test_home_with_toasts(visitor: Open) -> None:
    page = visitor("alice")
    for level in ("info", "success", "error"):
        page.locator(f"form.levels [value={level}]").first.click()
    expect(page.locator("notification-toasts li")).to_have_count(3)
    check(page)


def test_panel(visitor: Open) -> None:
    page = visitor("alice")
    ring(page)
    page.locator("notification-bell li").first.hover()
    check(page)


def test_empty_panel(visitor: Open) -> None:
    page = visitor("admin")
    ring(page)
    expect(page.locator("notification-bell .note")).to_be_visible()
    check(page)


def test_panel_that_could_not_load_and_action_that_failed(visitor: Open) -> None:
    def refuse(route: Route) -> None:
        route.fulfill(status=500, body="{}")

    page = visitor("alice")
    page.route("**/api/inbox/**", refuse)
    ring(page)
    expect(page.locator("notification-bell .note")).to_be_visible()
    check(page)
    page.unroute("**/api/inbox/**")
    page.locator("notification-bell .note button").click()
    page.route("**/api/inbox/**", refuse)
    page.locator("notification-bell li").first.hover()
    page.locator("notification-bell li").first.locator(".icon").last.click()
    expect(page.locator("notification-bell .failure button").first).to_be_visible()
    check(page)
    page.unroute("**/api/inbox/**")


def test_list_page(visitor: Open) -> None:
    page = visitor("alice")
    page.goto("/notifications/")
    expect(page.locator("notification-list li.item").first).to_be_visible()
    check(page)


def test_page_of_a_recording(visitor: Open) -> None:
    page = visitor("alice")
    page.locator("a[href^='/recordings/']").click()
    expect(page.locator("watch-button button")).to_be_hidden()
    check(page)


def test_page_of_the_server(visitor: Open) -> None:
    page = visitor("alice")
    page.route("**/notifications/*.js", lambda route: route.abort())
    page.goto("/notifications/")
    expect(page.locator(".notifications-item").first).to_be_visible()
    check(page)
    page.unroute("**/notifications/*.js")


def test_page_from_before_a_deploy(visitor: Open) -> None:
    page = visitor("alice")
    page.evaluate("() => { globalThis[Symbol.for('carillon')].outdated = true; }")
    ring(page)
    expect(page.locator("notification-bell .status")).to_have_attribute("state", "outdated")
    check(page)


def test_lost_connection(visitor: Open) -> None:
    def busy(route: Route) -> None:
        route.fulfill(status=503, headers={"Retry-After": "20"})

    page = visitor("alice")
    page.clock.install()
    page.reload()
    expect(page.locator("connection-status[state=live]").first).to_be_attached()
    page.context.set_offline(True)
    page.clock.fast_forward(11_000)  # a banner is for what lasts
    expect(banner(page)).to_have_attribute("state", "offline")
    check(page)
    page.route("**/stream/", busy)
    page.context.set_offline(False)
    page.clock.fast_forward(1_000)
    expect(banner(page).get_by_role("button")).to_be_visible()
    expect(banner(page)).to_have_attribute("state", "reconnecting")
    ring(page)  # the panel says it too
    check(page)
    page.unroute("**/stream/")
    page.keyboard.press("Escape")
    banner(page).get_by_role("button").click()
    expect(banner(page)).to_have_attribute("state", "back")
    check(page)


def test_chat(visitor: Open) -> None:
    page = visitor("alice")
    page.goto("/chat/")
    expect(page.locator("chat-list li").first).to_be_visible()
    check(page)
    page.locator("chat-list li a", has_text="Sunday ringers").click()
    row = page.locator("chat-room li.row").last
    expect(row).to_be_visible(timeout=SLOW)
    row.hover()
    check(page)


def test_admins_broadcasts(visitor: Open) -> None:
    page = visitor("admin")
    page.goto("/admin/carillon/broadcast/add/")
    check(page, ".carillon")
    page.locator("[name=_continue]").click()  # with a title and an audience missing
    expect(page.locator(".carillon-problem")).to_be_visible()
    check(page, ".carillon")
    page.locator("#id_title").fill("For everybody")
    page.locator("[name=include_names][value=everyone]").check()
    page.locator("[name=_review]").click()
    expect(page.locator(".carillon-number")).to_be_visible()
    check(page, ".carillon")
    page.locator(".carillon-primary").click()
    expect(page.locator("#delivered")).to_be_visible()
    check(page, ".carillon")
    page.locator("a[href$='/recall/']").click()
    page.wait_for_url("**/recall/")
    check(page, ".carillon")
    page.locator(".carillon form button").click()  # the next language's panel shall be empty too
    expect(page.locator(".carillon-badge[data-state=recalled]")).to_be_visible()


def test_signed_out(visitor: Open) -> None:
    page = visitor("bob")  # no other test's, for they stay signed in
    page.context.clear_cookies(name="sessionid")
    ring(page)
    expect(banner(page)).to_have_attribute("state", "signed-out")
    check(page)


WORK = """
from notifications.services import answer, progress
with progress(alice, "Import") as p, answer(f"assistant:{alice.pk}", by=alice) as a:
    p.update(40, "4 of 10")
    a.append("Ding dong")
    while not a.stopped:
        time.sleep(0.1)
"""


def test_feeds(visitor: Open, work: Callable[[str], None]) -> None:
    page = visitor("alice")
    work(WORK)
    page.goto("/live/")
    expect(page.locator("live-answer[answer=writing] button")).to_be_visible(timeout=30_000)
    expect(page.locator("live-progress[progress=running] button")).to_be_visible(timeout=30_000)
    check(page)
    page.locator("live-answer button").click()
    expect(page.locator("live-answer")).to_have_attribute("answer", "stopped")
    check(page)
