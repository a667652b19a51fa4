"""Whose notifications a document shows when users come and go, also where htmx or Turbo swap its body meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, expect

from .conftest import Demo, Visitor, new_page

pytestmark = pytest.mark.browser

Visit = Callable[..., Visitor]

# What a boosted form does: it is sent by script; of the answer the body alone takes the old one's place, and runs.
BOOST = """async (path) => {
  const token = document.cookie.match(/csrftoken=([^;]+)/)[1];
  const answer = await fetch(path, { method: "POST", headers: { "X-CSRFToken": token } });
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  document.body.replaceWith(document.importNode(page.body, true));
  for (const old of document.body.querySelectorAll("script")) {
    const script = document.createElement("script");
    for (const { name, value } of old.attributes) script.setAttribute(name, value);
    old.replaceWith(script);
  }
}"""


@pytest.fixture
def visitor(demo: Demo, browser: Browser) -> Iterator[Visitor]:
    """Open the demo without signing in; its policy forbids what the stand-in for htmx does."""
    found = Visitor(new_page(browser, demo.server.url, bypass_csp=True))
    found.page.goto("/")
    yield found
    found.page.context.close()
    assert found.faults == []


def test_after_a_boosted_sign_in_as_somebody_else_nothing_of_the_first_user_is_left(
    visitor: Visitor, demo: Demo
) -> None:
    alice = visitor
    page = alice.page
    page.get_by_role("button", name="Sign in as Alice").click()
    alice.until_live()
    alice.ring()
    expect(alice.titles).to_have_count(7)
    demo.notify("alice", "For Alice alone")
    expect(alice.bell.get_by_role("button", name="1 new", exact=True)).to_be_visible()
    user = alice.bell.get_attribute("user")
    page.evaluate(BOOST, "/sign-out/")
    page.evaluate(BOOST, "/sign-in/bob/")
    expect(alice.bell).not_to_have_attribute("user", user or "")
    alice.until_live()
    alice.ring()
    expect(alice.titles.first).to_be_visible()
    assert "For Alice alone" not in alice.titles.all_inner_texts()
    demo.notify("bob", "For Bob")
    expect(alice.bell.get_by_role("button", name="1 new", exact=True)).to_be_visible()


def test_an_anonymous_pages_bell_starts_after_a_boosted_sign_in(visitor: Visitor, demo: Demo) -> None:
    page = visitor.page
    page.evaluate(BOOST, "/sign-in/alice/")
    expect(visitor.bell.get_by_role("button").first).to_have_accessible_name("Notifications, 3 new")
    visitor.until_live()
    demo.notify("alice", "At once")
    expect(visitor.bell).to_have_attribute("count", "4")


def test_at_sign_out_in_another_tab_the_list_is_emptied_and_says_so(
    visit: Visit, second_tab: Callable[[Visitor], Visitor]
) -> None:
    alice = visit("alice")
    alice.page.goto("/notifications/")
    rows = alice.page.locator("notification-list li.item")
    expect(rows).to_have_count(7)
    tools = alice.page.locator("notification-list .tools").first
    expect(tools).to_contain_text("Comments (2)")
    rows.first.get_by_role("button", name="Pin").focus()
    alice.page.keyboard.press("e")
    undo = alice.page.locator("notification-list .undo")
    expect(undo).to_be_visible()
    second_tab(alice).page.get_by_role("button", name="Sign out").click()
    expect(alice.page.locator("notification-list .note")).to_contain_text("You are signed out")
    expect(rows).to_have_count(0)
    expect(alice.page.locator("notification-list")).not_to_contain_text("Morning bells")
    expect(tools).not_to_contain_text("comments")
    expect(undo).to_be_hidden()
    expect(alice.page.locator("notification-list .archive-all")).to_be_hidden()


def test_a_draft_does_not_outlive_its_authors_session(visit: Visit) -> None:
    alice = visit("alice")
    page = alice.page
    page.goto("/chat/")
    page.locator("chat-list a").first.click()
    page.locator("chat-room textarea").fill("Between you and me")
    keys = "() => Object.keys(localStorage).filter((key) => key.startsWith('carillon-draft'))"
    assert len(page.evaluate(keys)) == 1
    page.goto("/")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("button", name="Sign in as Bob")).to_be_visible()
    page.wait_for_function("() => !Object.keys(localStorage).some((key) => key.startsWith('carillon-draft'))")
