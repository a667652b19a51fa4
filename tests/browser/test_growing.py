"""One notification for many events: it changes where it stands, and nobody is told twice."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from .conftest import Demo, Visitor, manage

pytestmark = pytest.mark.browser

SOON = 15_000  # ms; for a second process, and for what is read out once it has become quiet

# Counts what was ever put into a toast, and keeps what was read out.
WATCH = """() => {
  const toasts = document.querySelector("notification-toasts");
  const { shadowRoot } = toasts;
  toasts.setAttribute("duration", "60000"); // a second process takes its time
  window.toasted = 0;
  new MutationObserver((changes) => {
    for (const { addedNodes } of changes) toasted += [...addedNodes].filter((node) => node.matches?.(".toast")).length;
  }).observe(shadowRoot, { childList: true, subtree: true });
  window.said = [];
  for (const { shadowRoot } of document.querySelectorAll("notification-bell, notification-toasts")) {
    const region = shadowRoot.querySelector("[aria-live]");
    const look = () => region.textContent && said.push(region.textContent);
    new MutationObserver(look).observe(region, { childList: true });
  }
}"""


def comment(demo: Demo, *names: str, title: str = "{} commented") -> None:
    """Have people comment one of alice's posts, one after the other, from a second process."""
    lines = [
        "from django.contrib.auth.models import User; from notifications.services import notify",
        f"for name in {names!r}:",
        "    who = User.objects.get_or_create(username=name.lower(), defaults={'first_name': name})[0]",
        f"    notify(User.objects.get(username='alice'), {title!r}.format(name), group='post:7', actor=who)",
    ]
    manage(demo.database, "shell", "--no-imports", "-v", "0", "-c", "\n".join(lines))


def watch(page: Page) -> None:
    page.evaluate(WATCH)


def test_a_toast_grows_where_it_stands_and_what_came_is_read_out_once(
    demo: Demo, visit: Callable[..., Visitor]
) -> None:
    alice = visit("alice")
    page = alice.page
    watch(page)
    before = alice.count()
    comment(demo, "Ann")
    toast = page.locator("notification-toasts .toast")
    expect(toast.locator(".title")).to_have_text("Ann commented", timeout=SOON)
    comment(demo, "Ben", "Cem", "Ann", *(f"Guest {number}" for number in range(46)))
    expect(toast.locator(".title")).to_have_text("Guest 45 commented", timeout=SOON)
    expect(toast).to_have_count(1)
    expect(toast.locator(".tally")).to_contain_text("50")
    expect(toast.locator(".meta")).to_have_text("⁨⁨Guest 45⁩, ⁨Guest 44⁩ and 47 others⁩")
    assert page.evaluate("toasted") == 1
    assert alice.count() == before + 1
    page.wait_for_function("() => said.some((words) => words.includes('Guest 45 commented (50)'))", timeout=SOON)
    said = page.evaluate("said")
    assert said[0] == "New notification: Ann commented"
    assert len(said) <= 3, said


def test_a_grown_item_rises_in_every_tab_and_is_not_told_again_after_a_reload(
    demo: Demo, visit: Callable[..., Visitor]
) -> None:
    alice = visit("alice")
    second = Visitor(alice.page.context.new_page())
    second.page.goto("/")
    second.until_live()
    for tab in (alice, second):
        watch(tab.page)
    comment(demo, "Ann")
    demo.notify("alice", "In between")
    for tab in (alice, second):
        expect(tab.page.locator("notification-toasts .toast")).to_have_count(2, timeout=SOON)
    for tab in (alice, second):
        tab.page.reload()
        tab.until_live()
        watch(tab.page)
    comment(demo, "Ben")
    demo.notify("alice", "Afterwards")  # what is told after it has been seen to be told
    for tab in (alice, second):
        expect(tab.page.locator("notification-toasts .toast .title")).to_have_text(["Afterwards"], timeout=SOON)
        assert tab.page.evaluate("toasted") == 1
    for tab in (alice, second):
        tab.ring()
        expect(tab.titles.nth(0)).to_have_text("Afterwards")
        expect(tab.titles.nth(1)).to_have_text("Ben commented")
        expect(tab.titles.nth(2)).to_have_text("In between")
        expect(tab.row("Ben commented").locator(".meta")).to_contain_text("⁨Ben⁩ and ⁨Ann⁩⁩ · ")
        expect(tab.row("Ben commented").locator(".tally")).to_contain_text("Events: 2")


def test_an_open_panel_shows_the_item_grow_under_the_eyes_of_its_reader(
    demo: Demo, visit: Callable[..., Visitor]
) -> None:
    alice = visit("alice")
    comment(demo, "Ann", "Ben", title="{} commented on your post")
    demo.notify("alice", "In between")
    alice.ring()
    row = alice.row("Ben commented on your post")
    expect(row).to_be_visible(timeout=SOON)
    row.locator(".main").focus()
    comment(demo, "Cem", title="{}, Ben and Ann commented on your post")
    grown = alice.row("Cem, Ben and Ann commented on your post")
    expect(grown.locator(".main")).to_be_focused(timeout=SOON)
    expect(alice.titles.nth(0)).to_have_text("In between")  # nothing moves under the eyes of who reads
    expect(grown.locator(".meta")).not_to_contain_text("⁨Cem⁩")  # the title names them
    expect(alice.bell.locator("li", has_text="commented on your post")).to_have_count(1)
