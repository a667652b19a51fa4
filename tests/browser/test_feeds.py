"""Feeds in the browser: what is followed shows, over one connection, whatever happens to tabs, servers and networks."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

import pytest
from playwright.sync_api import Browser, Page, Request, Route, expect

from tests.servers import asgi
from tests.servers.faults import FaultProxy

from .conftest import RECOVERY, Demo, Visitor, manage, new_page

pytestmark = pytest.mark.browser

LIVE = "/live/"

# Follow feeds, and keep what each of them has told: of a log every number, in order.
FOLLOW = """async (names) => {
  const { feeds } = await import("/static/notifications/feeds.js");
  window.told = {};
  for (const name of names) {
    const told = (window.told[name] = []);
    const tell = (...events) => told.push(...events.map(({ data }) => data.n));
    feeds().follow(name, { onEvent: tell, onReset: (events) => tell(...events) });
  }
}"""


def publish(demo: Demo, values: Mapping[str, Mapping[str, object]]) -> None:
    """Publish an event in each of some feeds, from a second process."""
    lines = ["import json", "from notifications.services import publish"]
    lines += [f"publish({name!r}, json.loads({json.dumps(data)!r}))" for name, data in values.items()]
    manage(demo.database, "shell", "--no-imports", "-v", "0", "-c", "\n".join(lines))


class Requests:
    """What a browser has asked for since now."""

    def __init__(self, page: Page) -> None:
        self.urls: list[str] = []
        page.context.on("request", self._note)

    def _note(self, request: Request) -> None:
        self.urls.append(request.url)

    def count(self, part: str) -> int:
        """Return how many addresses have `part` in them."""
        return sum(part in url for url in self.urls)


def told(page: Page, name: str) -> list[int]:
    """Return the numbers that a page was told by a feed."""
    numbers: list[int] = page.evaluate("(name) => window.told[name]", name)
    return numbers


def until_told(page: Page, name: str, number: int) -> None:
    """Wait until a page was told a number by a feed."""
    page.wait_for_function("([name, n]) => window.told[name].at(-1) === n", arg=[name, number], timeout=RECOVERY)


def test_a_page_shows_what_is_published(demo: Demo, visit: Callable[..., Visitor]) -> None:
    publish(demo, {"prices": {"symbol": "ACME", "price": 1234.5}})
    alice = visit("alice")
    alice.page.goto(LIVE)
    price = alice.page.locator("live-value[key=ACME]")
    order = alice.page.locator("live-part")
    expect(price).to_have_text("1,234.50")
    expect(price).to_have_attribute("state", "live")
    expect(order).to_have_attribute("state", "live")
    expect(order).to_contain_text("new")
    publish(demo, {"prices": {"symbol": "ACME", "price": 99}, "orders:42": {"state": "packed"}})
    expect(price).to_have_text("99.00")
    expect(order).to_contain_text("packed")
    expect(order).to_have_attribute("state", "live")


def test_a_page_without_a_bell_follows_what_is_public(demo: Demo, browser: Browser) -> None:
    publish(demo, {"prices": {"symbol": "ACME", "price": 5}})
    page = new_page(browser, demo.server.url)
    visitor = Visitor(page)
    page.goto(LIVE)
    expect(page.locator("live-value[key=ACME]")).to_have_text("5.00")
    publish(demo, {"prices": {"symbol": "ACME", "price": 6}})
    expect(page.locator("live-value[key=ACME]")).to_have_text("6.00")
    assert visitor.faults == []
    page.context.close()


def test_ten_feeds_in_three_tabs_end_right_whatever_happens(demo: Demo, browser: Browser, proxy: FaultProxy) -> None:
    """The leading tab closes, the network is cut, the server is killed: nothing is lost and nothing comes twice."""
    first = new_page(browser, proxy.url)
    visitor = Visitor(first)
    first.goto("/")
    first.get_by_role("button", name="Sign in as Alice").click()
    visitor.until_live()
    first.goto(LIVE)
    own = first.locator("live-answer").get_attribute("feed")
    names = [f"orders:{number}" for number in range(1, 10)] + [str(own)]
    tabs = {first: names[:4], first.context.new_page(): names[3:7], first.context.new_page(): names[6:]}
    log: list[int] = []

    def step(number: int) -> None:
        log.append(number)
        publish(demo, {name: {"n": number} for name in names})
        for tab, followed in tabs.items():
            for name in followed:
                until_told(tab, name, number)

    asked = Requests(first)
    for tab, followed in tabs.items():
        if tab is not first:
            tab.goto(LIVE)
        tab.evaluate(FOLLOW, followed)
    step(1)
    step(2)
    assert asked.count("/stream/") == 0, "the first tab's stream carries them all"
    assert asked.count("/api/feeds/") >= 1

    tabs.pop(first)
    first.close()
    step(3)
    assert asked.count("/stream/") == 1

    proxy.cut()
    step(4)

    proxy.busy()
    proxy.cut()
    publish(demo, {name: {"n": 5} for name in names})
    log.append(5)
    proxy.heal()
    step(6)

    demo.server.kill()
    publish(demo, {name: {"n": 7} for name in names})
    log.append(7)
    demo.server.start()
    step(8)

    last = list(tabs)[-1]
    assert told(last, names[-1]) == log, "of a log every event, once"
    for tab, followed in tabs.items():
        for name in followed:
            assert told(tab, name) == sorted(set(told(tab, name))), "no value comes twice, and none after a newer one"
    assert visitor.faults == []
    first.context.close()


# What a part of a real site has: a field that people type in, what they have opened, and something of htmx.
FURNITURE = """
<input id="note"><details><summary>More</summary>{state}</details>
<div id="long" tabindex="0"><p>One</p></div>
<button id="more" hx-get="/live/" hx-select="h1" hx-target="#fetched">More</button>
"""


def furnish(page: Page) -> None:
    """Have the server's answers for a part of the page bring some furniture too."""

    def answer(route: Route) -> None:
        response = route.fetch()
        body = response.text() + FURNITURE.format(state="x" * len(response.text()))
        route.fulfill(response=response, body=body) if response.status == 200 else route.fulfill(response=response)

    page.route("**/notifications/part/**", answer)


def load_script(page: Page, path: str) -> None:
    """Load a package's own script into a page, as if the site served it."""
    page.route("**/vendor/*", lambda route: route.fulfill(path=asgi.ROOT / "node_modules" / path))
    page.add_script_tag(url=f"/vendor/{path.rsplit('/', 1)[1]}")


def state_of(demo: Demo, state: str) -> None:
    """Publish a state of the order that the demo's page shows."""
    publish(demo, {"orders:42": {"state": state}})


def test_what_people_do_in_a_part_outlives_its_renewal(demo: Demo, visit: Callable[..., Visitor]) -> None:
    alice = visit("alice")
    furnish(alice.page)
    alice.page.goto(LIVE)
    part = alice.page.locator("live-part")
    state_of(demo, "packed")
    part.locator("#note").fill("Ring twice")
    part.locator("summary").click()
    part.locator("#note").focus()
    alice.page.evaluate("window.field = document.activeElement")
    state_of(demo, "sent")
    expect(part.locator("strong")).to_have_text("sent")
    expect(part.locator("#note")).to_be_focused()
    expect(part.locator("#note")).to_have_value("Ring twice")
    assert alice.page.evaluate("window.field === document.getElementById('note')")
    assert part.locator("details").get_attribute("open") is not None


def test_a_part_is_gone_where_its_reader_may_not_see_it_any_more(demo: Demo, visit: Callable[..., Visitor]) -> None:
    alice = visit("alice")
    alice.page.goto(LIVE)
    part = alice.page.locator("live-part")
    expect(part).to_have_attribute("state", "live")
    alice.page.route("**/notifications/part/**", lambda route: route.fulfill(status=403, json={"code": "denied"}))
    state_of(demo, "packed")
    expect(part).to_have_attribute("state", "gone")
    expect(part).to_contain_text("new")


def test_a_part_that_a_proxy_answers_for_stays_stale_until_the_server_does(
    demo: Demo, visit: Callable[..., Visitor]
) -> None:
    alice = visit("alice")
    alice.page.goto(LIVE)
    part = alice.page.locator("live-part")
    expect(part).to_have_attribute("state", "live")
    pattern = "**/notifications/part/**"
    alice.page.route(pattern, lambda route: route.fulfill(status=200, content_type="text/html", body="<h1>Wi-Fi</h1>"))
    state_of(demo, "packed")
    expect(part).to_have_attribute("state", "stale")
    expect(part).not_to_contain_text("Wi-Fi")
    alice.page.unroute(pattern)
    expect(part).to_contain_text("packed", timeout=RECOVERY)
    expect(part).to_have_attribute("state", "live")


def test_a_part_whose_server_never_answers_is_asked_for_again(demo: Demo, visit: Callable[..., Visitor]) -> None:
    alice = visit("alice")
    alice.page.add_init_script(
        """
        const { set } = Object.getOwnPropertyDescriptor(XMLHttpRequest.prototype, "timeout");
        const hurry = function (time) { set.call(this, time / 100); }; // the patience of 30 s, in the time of a test
        Object.defineProperty(XMLHttpRequest.prototype, "timeout", { set: hurry });
        """
    )
    alice.page.goto(LIVE)
    part = alice.page.locator("live-part")
    expect(part).to_have_attribute("state", "live")
    alice.page.route("**/notifications/part/**", lambda route: None, times=1)
    state_of(demo, "packed")
    expect(part).to_contain_text("packed", timeout=RECOVERY)
    expect(part).to_have_attribute("state", "live")


def test_htmx_may_swap_a_part_and_what_is_in_it(demo: Demo, browser: Browser) -> None:
    page = new_page(browser, demo.server.url, bypass_csp=True)  # htmx turns text into markup
    visitor = Visitor(page)
    page.goto("/")
    page.get_by_role("button", name="Sign in as Alice").click()
    visitor.until_live()
    furnish(page)
    page.goto(LIVE)
    load_script(page, "htmx.org/dist/htmx.min.js")
    page.evaluate(
        """() => {
      const card = document.querySelector("live-part").parentElement;
      card.id = "card";
      card.insertAdjacentHTML("afterend", `<div id="fetched"></div>
        <button id="swap" hx-get="/live/" hx-select="live-part" hx-target="#card" hx-swap="innerHTML">Swap</button>`);
      htmx.process(document.body);
      addEventListener("live-swap", ({ target }) => htmx.process(target));
    }"""
    )
    asked = Requests(page)
    part = page.locator("live-part")
    state_of(demo, "packed")
    expect(part).to_contain_text("packed")
    page.locator("#swap").click()
    expect(part.locator("#more")).to_have_count(0)
    state_of(demo, "sent")
    expect(part).to_contain_text("sent")
    expect(part).to_have_attribute("state", "live")
    part.locator("#more").click()
    expect(page.locator("#fetched h1")).to_have_text("Live")
    for state in ("there", "back"):
        page.locator("#swap").click()
        state_of(demo, state)
        page.locator("#swap").click()
    expect(part).to_contain_text("back")
    expect(part).to_have_attribute("state", "live")
    assert asked.count("/stream/") == 0, "the connection outlives what is swapped"
    assert visitor.faults == []
    page.context.close()


def test_turbo_may_visit_and_restore_pages_with_parts(demo: Demo, browser: Browser) -> None:
    page = new_page(browser, demo.server.url, bypass_csp=True)  # Turbo turns text into markup
    visitor = Visitor(page)
    page.goto("/")
    page.get_by_role("button", name="Sign in as Alice").click()
    visitor.until_live()
    page.goto(LIVE)
    load_script(page, "@hotwired/turbo/dist/turbo.es2017-umd.js")
    page.evaluate("window.here = true")
    asked = Requests(page)
    part = page.locator("live-part")
    expect(part).to_have_attribute("state", "live")
    page.evaluate("Turbo.visit('/live/?again')")
    page.wait_for_url("**/live/?again")
    state_of(demo, "packed")
    expect(part).to_contain_text("packed")
    page.evaluate("Turbo.visit('/')")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Alice")
    state_of(demo, "sent")
    page.go_back()
    expect(part).to_contain_text("sent")
    expect(part).to_have_attribute("state", "live")
    page.evaluate(
        """() => {
      const part = document.querySelector("live-part");
      part.parentElement.id = "card";
      const stream = document.createElement("turbo-stream");
      stream.setAttribute("action", "update");
      stream.setAttribute("target", "card");
      stream.append(document.createElement("template"));
      stream.firstChild.content.append(part.cloneNode(true));
      document.body.append(stream);
    }"""
    )
    state_of(demo, "there")
    expect(part).to_contain_text("there")
    assert page.evaluate("window.here"), "no page was loaded anew"
    assert asked.count("/stream/") == 0
    assert visitor.faults == []
    page.context.close()


def test_an_answer_grows_before_the_eyes_and_ends_when_it_is_stopped(
    visit: Callable[..., Visitor], work: Callable[[str], None]
) -> None:
    alice = visit("alice")
    alice.page.goto(LIVE)
    work(
        """
from notifications.services import answer
with answer(f"assistant:{alice.pk}", by=alice) as a:
    for number in range(10_000):
        a.append(f"{number} 🔔 ")
        time.sleep(0.02)
"""
    )
    answer = alice.page.locator("live-answer")
    text = answer.locator(".text")
    expect(answer).to_have_attribute("answer", "writing", timeout=RECOVERY)
    expect(text).to_contain_text("12 🔔 13 🔔 14")
    expect(text).to_have_attribute("aria-busy", "true")
    alice.page.reload()
    expect(text).to_contain_text("0 🔔 1 🔔 2")
    answer.get_by_role("button", name="Stop").click()
    expect(answer).to_have_attribute("answer", "stopped")
    expect(text).to_have_attribute("aria-busy", "false")
    expect(answer.get_by_role("button")).to_be_hidden()
    expect(answer).to_contain_text("Stopped")
    words = str(text.text_content()).split("🔔")
    assert [int(word) for word in words if word.strip()] == list(range(len(words) - 1)), "no token is lost or repeated"


def test_a_progress_is_shown_and_cancelled(visit: Callable[..., Visitor], work: Callable[[str], None]) -> None:
    alice = visit("alice")
    alice.page.goto(LIVE)
    work(
        """
from notifications.services import progress
with progress(alice, "Import") as p:
    p.update(25, "1 of 4")
    while not p.cancelled:
        time.sleep(0.05)
"""
    )
    shown = alice.page.locator("live-progress")
    bar = shown.get_by_role("progressbar", name="Import")
    expect(bar).to_have_attribute("value", "25", timeout=RECOVERY)
    expect(shown).to_contain_text("1 of 4")
    expect(shown).to_have_attribute("progress", "running")
    shown.get_by_role("button", name="Cancel").click()
    expect(shown).to_have_attribute("progress", "cancelled", timeout=RECOVERY)
    expect(shown.get_by_role("button")).to_be_hidden()
    expect(shown).to_contain_text("Cancelled")
    work("""
from notifications.services import progress
with progress(alice, "Export") as p:
    while not p.cancelled:
        time.sleep(0.05)
""")
    expect(shown).to_contain_text("Export", timeout=RECOVERY)
    shown.get_by_role("button", name="Cancel").click()  # the click before was for other work
    expect(shown).to_have_attribute("progress", "cancelled", timeout=RECOVERY)


def test_a_progress_far_down_the_list_is_found_and_one_can_be_named(
    visit: Callable[..., Visitor], work: Callable[[str], None]
) -> None:
    alice = visit("alice")
    alice.page.goto(LIVE)
    work(
        """
from notifications.services import notify, progress
with progress(alice, "Mine") as mine, progress(alice, "Another") as other:
    for number in range(60):
        notify(alice, f"Number {number}")
    notify(alice, f"Mine is {mine.item}")
    other.update(50)
    while not mine.cancelled:
        time.sleep(0.05)
"""
    )
    shown = alice.page.locator("live-progress")
    expect(shown.get_by_role("progressbar", name="Another")).to_have_attribute("value", "50", timeout=RECOVERY)
    alice.page.reload()
    alice.until_live()
    expect(shown).to_contain_text("Another", timeout=RECOVERY)
    alice.ring()
    title = alice.bell.locator(".title", has_text="Mine is").text_content() or ""
    alice.page.keyboard.press("Escape")
    shown.evaluate("(element, item) => element.setAttribute('item', item)", title.removeprefix("Mine is "))
    expect(shown.get_by_role("progressbar", name="Mine")).to_be_visible()
    shown.get_by_role("button", name="Cancel").click()
    expect(shown).to_have_attribute("progress", "cancelled", timeout=RECOVERY)
