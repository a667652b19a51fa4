"""The demo's e-mails: a visitor reads them on a page, follows a link, and unsubscribes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page, expect

from .axe import faults
from .conftest import Demo, Visitor, new_page

pytestmark = pytest.mark.browser

LOOKS = 200  # at the mailbox; a page takes some 50 ms


def open_mailbox(page: Page) -> None:
    """Look until something has arrived."""
    for _ in range(LOOKS):
        page.goto("/mailbox/")
        if page.locator(".letter").count():
            return
    raise AssertionError("No e-mail has arrived.")


def test_a_link_in_an_e_mail_leads_to_what_it_tells_of_and_marks_that_as_read(
    visit: Callable[..., Visitor],
) -> None:
    alice = visit("alice")
    page = alice.page
    before = alice.count()
    page.get_by_role("button", name="Send off an order").click()
    expect(alice.bell).to_have_attribute("count", str(before + 1))
    open_mailbox(page)
    mail = page.frame_locator(".letter iframe")
    expect(mail.get_by_role("heading", name="“Handbell in C” is on its way")).to_be_visible()
    mail.get_by_role("link", name="Open").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Alice")
    expect(alice.bell).to_have_attribute("count", str(before))


def test_who_unsubscribes_gets_no_more_also_without_javascript(visit: Callable[..., Visitor]) -> None:
    visit("bob")  # a process that holds a stream open sends
    page = visit("alice", javascript=False).page
    page.get_by_role("button", name="Send off an order").click()
    open_mailbox(page)
    page.frame_locator(".letter iframe").get_by_role("link", name="Unsubscribe").click()
    expect(page.get_by_role("heading", name="Unsubscribe")).to_be_visible()
    page.get_by_role("button", name="Unsubscribe").click()
    expect(page.get_by_role("status")).to_contain_text("You get no more of “An order is on its way”")
    page.goto("/notifications/preferences/")
    expect(page.get_by_label("An order is on its way: E-mail")).to_have_value("off")


@pytest.mark.thorough
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en", "ar"])
def test_an_e_mail_can_be_read_by_everybody(demo: Demo, browser: Browser, scheme: str, language: str) -> None:
    page = new_page(browser, demo.server.url, color_scheme=scheme, locale=language, bypass_csp=True)
    page.goto("/")
    page.locator("form[action='/sign-in/alice/'] button").click()
    page.locator("form[action='/send/kind/'] button[value=order]").click()
    open_mailbox(page)
    assert faults(page, "main") == []
    page.goto(str(page.locator(".letter iframe").get_attribute("src")))
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert faults(page) == []
    assert page.evaluate("document.querySelector('.column').getBoundingClientRect().width") <= 600
    page.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_to_unsubscribe_and_the_admin_s_previews_have_no_faults(
    demo: Demo, browser: Browser, scheme: str
) -> None:
    page = new_page(browser, demo.server.url, color_scheme=scheme, bypass_csp=True)
    page.goto("/")
    page.locator("form[action='/sign-in/alice/'] button").click()
    page.locator("form[action='/send/kind/'] button[value=order]").click()
    open_mailbox(page)
    page.frame_locator(".letter iframe").get_by_role("link", name="Unsubscribe").click()
    expect(page.get_by_role("heading", name="Unsubscribe")).to_be_visible()
    assert faults(page, "main") == []
    page.context.clear_cookies()
    page.goto("/admin/")
    page.get_by_label("Username").fill("admin")
    page.get_by_label("Password").fill("admin")
    page.get_by_role("button", name="Log in").click()
    page.goto("/admin/carillon/notice/emails/?kind=demo.order")
    mail = page.frame_locator("iframe[title='The e-mail']")
    expect(mail.get_by_role("heading", name="“Handbell in C” is on its way")).to_be_visible()
    assert faults(page, "#content-main") == []
    page.context.close()
