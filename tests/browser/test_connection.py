"""One honest connection per browser, whatever happens to tabs, servers and networks."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Request, Route, expect

from tests.servers.faults import FaultProxy

from .conftest import RECOVERY, Demo, Visitor, new_page

pytestmark = [pytest.mark.browser, pytest.mark.thorough]


class Streams:
    """How many streams a browser has asked for since now."""

    def __init__(self, visitor: Visitor) -> None:
        self.asked = 0
        visitor.page.context.on("request", self._count)

    def _count(self, request: Request) -> None:
        self.asked += "/stream/" in request.url


def has_state(visitor: Visitor, state: str, timeout: int = RECOVERY) -> None:
    expect(visitor.status).to_have_attribute("state", state, timeout=timeout)


def has_count(visitor: Visitor, count: int) -> None:
    expect(visitor.bell).to_have_attribute("count", str(count), timeout=RECOVERY)


@pytest.fixture
def bob(proxy: FaultProxy, browser: Browser) -> Iterator[Visitor]:
    """Sign in as Bob, through the proxy."""
    page = new_page(browser, proxy.url)
    visitor = Visitor(page)
    page.goto("/")
    page.get_by_role("button", name="Sign in as Bob").click()
    visitor.until_live()
    yield visitor
    page.context.close()
    assert visitor.faults == []


def test_ten_tabs_over_http_1_share_one_stream_and_stay_usable(
    demo: Demo, visit: Callable[..., Visitor], second_tab: Callable[[Visitor], Visitor]
) -> None:
    first = visit("bob")
    streams = Streams(first)
    before = first.count()
    others = [second_tab(first) for _ in range(9)]
    assert streams.asked == 0, "the first tab's stream serves them all"
    demo.notify("bob", "To every tab")
    for tab in [first, *others]:
        has_count(tab, before + 1)
    others[8].page.reload()
    others[8].until_live()
    others[8].ring()
    expect(others[8].titles.first).to_have_text("To every tab")


def test_when_the_leading_tab_closes_another_goes_on_without_a_gap(
    demo: Demo, visit: Callable[..., Visitor], second_tab: Callable[[Visitor], Visitor]
) -> None:
    first = visit("bob")
    tabs = [second_tab(first), second_tab(first)]
    streams = Streams(first)
    before = first.count()
    first.page.close()
    demo.notify("bob", "Between two leaders")
    for tab in tabs:
        has_count(tab, before + 1)
        has_state(tab, "live")
    assert streams.asked == 1


def test_a_cut_connection_heals_by_itself(demo: Demo, proxy: FaultProxy, bob: Visitor) -> None:
    before = bob.count()
    proxy.cut()
    demo.notify("bob", "While it was cut")
    has_count(bob, before + 1)
    has_state(bob, "live")


def test_a_site_that_is_busy_for_a_while_is_waited_for(demo: Demo, proxy: FaultProxy, bob: Visitor) -> None:
    before = bob.count()
    proxy.busy()
    proxy.cut()
    has_state(bob, "reconnecting")
    demo.notify("bob", "During the deploy")
    proxy.heal()
    has_state(bob, "live")
    has_count(bob, before + 1)


def test_bytes_may_come_one_by_one(demo: Demo, proxy: FaultProxy, bob: Visitor) -> None:
    before = bob.count()
    proxy.slice = 1
    demo.notify("bob", "Drop by drop ☂ übermäßig langsam")
    has_count(bob, before + 1)
    bob.ring()
    proxy.heal()
    expect(bob.titles.first).to_have_text("Drop by drop ☂ übermäßig langsam")


def refuse(route: Route) -> None:
    route.abort("connectionreset")


def test_where_streams_are_held_back_the_socket_takes_over(demo: Demo, bob: Visitor, proxy: FaultProxy) -> None:
    before = bob.count()
    bob.page.route("**/stream/", refuse)
    with bob.page.expect_websocket(timeout=RECOVERY):
        proxy.cut()
    has_state(bob, "live")
    demo.notify("bob", "Through the socket")
    has_count(bob, before + 1)


def test_where_sockets_are_too_it_polls_and_streams_again_later(demo: Demo, bob: Visitor, proxy: FaultProxy) -> None:
    bob.page.route_web_socket("**/ws/", lambda socket: socket.close())
    bob.page.reload()  # only a new page's sockets are refused
    bob.until_live()
    before = bob.count()
    bob.page.route("**/stream/", refuse)
    proxy.cut()
    has_state(bob, "polling", 2 * RECOVERY)  # each of two transports is tried three times
    demo.notify("bob", "By post")
    has_count(bob, before + 1)
    bob.page.unroute("**/stream/", refuse)
    has_state(bob, "live")


def test_offline_is_told_and_coming_back_is_quick(demo: Demo, bob: Visitor) -> None:
    before = bob.count()
    bob.page.context.set_offline(True)
    has_state(bob, "offline")
    demo.notify("bob", "While in the tunnel")
    bob.page.context.set_offline(False)
    has_state(bob, "live")
    has_count(bob, before + 1)


def test_what_answers_during_a_deploy_is_not_believed(demo: Demo, proxy: FaultProxy, bob: Visitor) -> None:
    before = bob.count()

    def maintain(route: Route) -> None:
        route.fulfill(status=next(statuses), content_type="text/html", body="<h1>We are upgrading</h1>")

    statuses = iter([200, 403, 401, 502] * 50)
    bob.page.route("**/stream/", maintain)
    bob.page.route("**/api/**", maintain)
    proxy.cut()
    has_state(bob, "reconnecting")
    with bob.page.expect_response("**/stream/"):
        pass
    demo.notify("bob", "During the deploy")
    bob.page.unroute("**/stream/")
    bob.page.unroute("**/api/**")
    bob.page.evaluate("() => window.dispatchEvent(new Event('online'))")
    has_state(bob, "live")
    has_count(bob, before + 1)


def test_a_site_that_redirects_to_its_login_page_has_signed_out_and_may_think_better_of_it(
    proxy: FaultProxy, bob: Visitor
) -> None:
    before = bob.count()
    bob.page.route("**/stream/", lambda route: route.fulfill(status=302, headers={"Location": "/sign-in/"}))
    proxy.cut()
    has_state(bob, "signed-out", 2 * RECOVERY)
    has_count(bob, 0)
    bob.page.unroute("**/stream/")
    bob.page.evaluate("() => window.dispatchEvent(new Event('online'))")
    has_state(bob, "live")
    has_count(bob, before)


def test_the_panel_that_is_first_opened_offline_shows_what_the_tab_has_and_why_not_more(
    demo: Demo, bob: Visitor
) -> None:
    before = bob.count()
    demo.notify("bob", "Here already")
    has_count(bob, before + 1)
    bob.page.context.set_offline(True)
    has_state(bob, "offline")
    bob.ring()
    expect(bob.titles).to_have_text(["Here already"])
    expect(bob.bell.get_by_role("button", name="Could not load notifications. You are offline.")).to_be_visible()
    expect(bob.bell.locator(".status")).to_contain_text("You are offline")
    bob.row("Here already").hover()
    bob.row("Here already").get_by_role("button", name="Archive").click()
    expect(bob.bell.get_by_role("alert")).to_contain_text("Could not archive. You are offline.")
    bob.page.context.set_offline(False)
    has_state(bob, "live")
    expect(bob.titles).not_to_have_count(1)


def stays_signed_out(visitor: Visitor) -> None:
    has_state(visitor, "signed-out")
    streams = Streams(visitor)
    visitor.page.evaluate(
        "() => { window.dispatchEvent(new Event('online')); document.dispatchEvent(new Event('resume')); }"
    )
    visitor.page.wait_for_load_state("networkidle")
    assert streams.asked == 0


def test_an_expired_session_is_told_and_not_hammered(bob: Visitor, proxy: FaultProxy) -> None:
    bob.page.context.clear_cookies(name="sessionid")
    proxy.cut()
    stays_signed_out(bob)


def test_a_tab_gets_nothing_of_who_signed_in_in_its_users_place(
    demo: Demo, bob: Visitor, proxy: FaultProxy, visit: Callable[..., Visitor]
) -> None:
    [session] = [one["value"] for one in visit("alice").page.context.cookies() if one["name"] == "sessionid"]
    bob.page.context.add_cookies([{"name": "sessionid", "value": session, "url": proxy.url}])
    demo.notify("alice", "For Alice alone")
    proxy.cut()
    stays_signed_out(bob)
    assert bob.count() == 0, "nor is anything of the first user's left"
