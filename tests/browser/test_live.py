"""The demo's page “Live”: what somebody does in one tab moves in every other, by buttons and by nothing else."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Locator, expect

from .conftest import Demo, Visitor, new_page

pytestmark = pytest.mark.browser

SOON = 15_000  # ms; for what a thread of the demo does bit by bit


@pytest.fixture
def tabs(visit: Callable[..., Visitor]) -> tuple[Visitor, Visitor]:
    """Return two tabs of one browser, both of which show the page."""
    first = visit("alice")
    second = Visitor(first.page.context.new_page())
    for tab in (first, second):
        tab.page.goto("/live/")
        expect(tab.page.locator("live-part")).to_have_attribute("state", "live")
    return first, second


def press(tab: Visitor, name: str) -> None:
    tab.page.get_by_role("button", name=name, exact=True).click()


def order(tab: Visitor) -> Locator:
    return tab.page.locator("live-part")


def test_an_order_moves_on_in_every_tab_and_where_nothing_changes_it_stays(
    tabs: tuple[Visitor, Visitor], visit: Callable[..., Visitor]
) -> None:
    first, second = tabs
    bob = visit("bob")
    bob.page.goto("/live/")
    for button, state, reached in (("Pack", "packed", 2), ("Send off", "sent", 3), ("Send off", "sent", 3)):
        with second.page.expect_response(re.compile("/part/")):  # the third time it is a 304
            press(first, button)
        for tab in (first, second, bob):
            expect(order(tab).locator("strong")).to_have_text(state)
            expect(order(tab).locator(".reached")).to_have_count(reached)
            expect(order(tab)).to_have_attribute("state", "live")


def test_prices_tick_also_for_those_who_are_not_signed_in(
    demo: Demo, tabs: tuple[Visitor, Visitor], browser: Browser
) -> None:
    first, second = tabs
    stranger = Visitor(new_page(browser, demo.server.url))
    stranger.page.goto("/live/")
    expect(stranger.page.locator("live-value")).to_have_count(50)
    expect(stranger.page.get_by_role("button", name="Let them tick for a minute")).to_have_count(0)
    press(first, "Let them tick for a minute")
    for tab in (first, second, stranger):
        values = tab.page.locator("[data-symbol] live-value")
        expect(values.last).to_have_text(re.compile(r"^\d+\.\d\d$"), timeout=SOON)
        before = values.all_text_contents()
        tab.page.wait_for_function(
            "(before) => [...document.querySelectorAll('[data-symbol] live-value')]"
            ".filter((value, place) => value.textContent !== before[place]).length > 20",
            arg=before,
            timeout=SOON,
        )
        expect(tab.page.locator("[data-trend]").first).to_be_visible()
    assert stranger.faults == second.faults == []
    stranger.page.context.close()


def test_the_log_comes_line_by_line_and_whole_to_who_comes_late(tabs: tuple[Visitor, Visitor]) -> None:
    first, second = tabs
    log = second.page.get_by_role("log")
    press(first, "Ring a peal")
    expect(log.locator("p").first).to_have_text("The tower is open.")
    expect(log.locator("p").last).to_have_text("The tower is closed.", timeout=2 * SOON)
    lines = log.locator("p").all_text_contents()
    expect(first.page.get_by_role("log").locator("p")).to_have_text(lines)
    second.page.reload()
    expect(log.locator("p")).to_have_text(lines)


def test_an_import_is_cancelled_from_another_tab(tabs: tuple[Visitor, Visitor]) -> None:
    first, second = tabs
    press(first, "Start an import")
    shown = second.page.locator("live-progress")
    expect(shown).to_contain_text(re.compile(r"\d+ of 80"), timeout=SOON)
    press(second, "Cancel")
    for tab in (first, second):
        expect(tab.page.locator("live-progress")).to_have_attribute("progress", "cancelled", timeout=SOON)


def test_an_answer_is_stopped_from_another_tab(tabs: tuple[Visitor, Visitor]) -> None:
    first, second = tabs
    first.page.get_by_label("Your question").fill("What is a <b>carillon</b>?")
    press(first, "Ask")
    expect(first.page.get_by_label("Your question")).to_have_value("")
    answer = second.page.locator("live-answer")
    expect(answer).to_contain_text("A carillon has at least", timeout=SOON)
    expect(second.page.locator(".asked")).to_have_text("What is a <b>carillon</b>?")
    press(second, "Stop")
    texts = []
    for tab in (first, second):
        expect(tab.page.locator("live-answer")).to_have_attribute("answer", "stopped", timeout=SOON)
        texts.append(tab.page.locator("live-answer .text").text_content())
    assert texts[0] == texts[1]
    assert not str(texts[0]).strip().endswith("this page does.")


def test_without_javascript_the_page_shows_what_is_and_its_forms_work(visit: Callable[..., Visitor]) -> None:
    alice = visit("alice", javascript=False)
    alice.page.goto("/live/")
    expect(order(alice)).to_contain_text("new")
    press(alice, "Pack")
    expect(order(alice)).to_contain_text("packed")


PLAIN = """(path) => new Promise((resolve) => {
  const told = [];
  const source = new EventSource(path);
  window.plain = { told, source };
  for (const type of ["feed.status", "feed.reset", "feed"])
    source.addEventListener(type, ({ data, lastEventId }) => told.push({ ...JSON.parse(data), lastEventId }));
  source.addEventListener("open", resolve);
})"""


def test_a_plain_event_source_follows_too(tabs: tuple[Visitor, Visitor]) -> None:
    first, second = tabs
    second.page.evaluate(PLAIN, "/notifications/stream/?feeds=orders:42&inbox=0")
    press(first, "Pack")
    second.page.wait_for_function("() => window.plain.told.some(({ events }) => events?.[0]?.data.state === 'packed')")
    types = second.page.evaluate("window.plain.told.map(({ type }) => type)")
    assert types[0] == "feed.status"
    assert second.page.evaluate("window.plain.told.at(-1).lastEventId").startswith("feed-")
    second.page.evaluate("window.plain.source.close()")


def test_wrong_input_is_explained(visit: Callable[..., Visitor]) -> None:
    alice = visit("alice")
    alice.page.goto("/live/")
    alice.page.locator("button[value=packed]").evaluate("(button) => { button.value = 'eaten'; }")
    press(alice, "Pack")
    expect(alice.page.locator("[data-answer]")).to_have_text("An order has no such state.")
