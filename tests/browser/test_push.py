"""Pushes in a real Chromium: its own service worker shows what a push service of ours was sent by the site.

What a browser cannot do without the internet is subscribe: a script of the test's stands in for that one call, with the
keys of a subscription to our service. All else is real; what is pushed goes to the worker as Chromium hands it over.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Playwright, Worker, expect

from notifications.deliveries import vapid
from tests.push_service import PushService
from tests.servers import chromium

from .axe import faults
from .conftest import Demo, Visitor, new_page

pytestmark = pytest.mark.browser

PRIVATE = vapid.make_private_key()
PAGE = "/notifications/preferences/"
SUBSCRIBE = """(() => {
  const given = %s;
  let made = null;
  const key = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
  const subscription = () => ({
    endpoint: given.endpoint, options: { applicationServerKey: key(given.key).buffer }, toJSON: () => given,
    unsubscribe: async () => { localStorage.removeItem("subscribed"); return true; },
  });
  PushManager.prototype.subscribe = async function (options) {
    if (options.applicationServerKey !== given.key || !options.userVisibleOnly) throw new Error("options");
    if (!this || !navigator.userActivation.hasBeenActive) throw new Error("not asked");
    localStorage.setItem("subscribed", "yes");
    return subscription();
  };
  PushManager.prototype.getSubscription = async () => (localStorage.getItem("subscribed") ? subscription() : null);
})();"""


@pytest.fixture(scope="module")
def chrome(playwright: Playwright) -> Iterator[Browser]:
    """Run a Chromium that shows notifications: the shell, which the other tests use, denies them."""
    running = playwright.chromium.launch(executable_path=chromium.find(), args=chromium.ARGUMENTS)
    yield running
    running.close()


@pytest.fixture
def service() -> Iterator[PushService]:
    with PushService().running() as running:
        yield running
    assert running.faults == []


@pytest.fixture
def demo(tmp_path: Path, seeded: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Demo]:
    """Serve the demo site, which pushes."""
    monkeypatch.setenv("VAPID_PRIVATE_KEY", PRIVATE)
    site = Demo(tmp_path, seeded)
    site.server.start()
    yield site
    site.server.kill()


class Reader(Visitor):
    """Somebody whose browser may show notifications."""

    def __init__(self, browser: Browser, demo: Demo, service: PushService, name: str, **options: Any) -> None:
        page = new_page(browser, demo.server.url, **options)
        super().__init__(page)
        self.service = service
        self.origin = demo.server.url
        made = service.subscribe(name, vapid.public_key(PRIVATE))
        given = json.dumps({**made.shown(), "key": made.key})
        self.context = page.context
        self.context.grant_permissions(["notifications"], origin=self.origin)
        self.context.add_init_script(SUBSCRIBE % given)
        self.registrations: list[dict[str, Any]] = []
        self.tools = self.context.new_cdp_session(page)
        self.tools.on(
            "ServiceWorker.workerRegistrationUpdated", lambda event: self.registrations.extend(event["registrations"])
        )
        self.tools.send("ServiceWorker.enable")
        self.handled = 0  # pushes that the worker has done with, whether it has shown something or not
        self.tools.on("BackgroundService.backgroundServiceEventReceived", self._count)
        self.tools.send("BackgroundService.startObserving", {"service": "pushMessaging"})
        self.tools.send("BackgroundService.setRecording", {"service": "pushMessaging", "shouldRecord": True})
        page.goto("/")
        page.locator(f"form[action='/sign-in/{name}/'] button").click()
        page.goto(PAGE)

    @property
    def question(self) -> Locator:
        return self.page.locator("notification-push [data-do=on]")

    @property
    def devices(self) -> Locator:
        return self.page.locator("notification-push li")

    @property
    def worker(self) -> Worker:
        (worker,) = self.context.service_workers
        return worker

    def turn_on(self) -> None:
        self.question.click()
        expect(self.page.locator("notification-push")).to_have_attribute("state", "on")
        expect(self.devices).to_have_count(1)

    def go_away(self) -> None:
        """Leave the site, and wait until its worker knows that nobody looks at it."""
        self.page.goto("about:blank")
        look = "async () => !(await self.clients.matchAll({ includeUncontrolled: true })).length"
        self._until(lambda: bool(self.worker.evaluate(look)))

    def _count(self, event: dict[str, Any]) -> None:
        self.handled += event["backgroundServiceEvent"]["eventName"] == "Push event completed"

    def _until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 20
        while not condition():
            assert time.monotonic() < deadline
            self.page.wait_for_timeout(50)

    def receive(self, *numbers: int) -> None:
        """Hand what was pushed to the browser, as its push service would, and wait until its worker is done with it."""
        self._until(lambda: len(self.service.messages) >= max(numbers))
        handled = self.handled + len(numbers)
        for number in numbers:
            said = json.dumps(self.service.messages[number - 1])
            registration = self.registrations[0]["registrationId"]
            message = {"origin": f"{self.origin}/", "registrationId": registration, "data": said}
            self.tools.send("ServiceWorker.deliverPushMessage", message)
        self._until(lambda: self.handled == handled)

    def shown(self) -> list[dict[str, Any]]:
        """Return what the browser shows; to ask while it is about to show something makes Chromium forget that."""
        found = self.worker.evaluate(
            """async () => (await self.registration.getNotifications()).map(
                ({ title, body, tag, lang, data }) => ({ title, body, tag, lang, data }))"""
        )
        return list(found)


@pytest.fixture
def arrive(chrome: Browser, demo: Demo, service: PushService) -> Iterator[Callable[..., Reader]]:
    readers: list[Reader] = []

    def come(name: str = "alice", **options: Any) -> Reader:
        readers.append(Reader(chrome, demo, service, name, **options))
        return readers[-1]

    yield come
    for reader in readers:
        reader.context.close()
    assert [fault for reader in readers for fault in reader.faults] == []


def test_nothing_is_asked_before_the_button_is_pressed(arrive: Callable[..., Reader]) -> None:
    alice = arrive()
    expect(alice.page.get_by_role("button", name="Turn on in this browser")).to_be_visible()
    assert alice.context.service_workers == []
    assert alice.page.evaluate("localStorage.getItem('subscribed')") is None
    alice.turn_on()
    expect(alice.page.get_by_text("This browser shows you notifications")).to_be_visible()
    expect(alice.devices).to_contain_text("Chrome, Linux this browser")


def test_what_is_pushed_is_shown(arrive: Callable[..., Reader], demo: Demo) -> None:
    alice = arrive()
    alice.turn_on()
    alice.go_away()
    demo.notify("alice", "Your train leaves at noon")
    alice.receive(1)
    (shown,) = alice.shown()
    assert shown["title"] == "Your train leaves at noon"
    assert shown["lang"] == "en"
    assert shown["data"]["item"]


def test_pushes_that_arrive_together_can_each_be_clicked(arrive: Callable[..., Reader], demo: Demo) -> None:
    alice = arrive()
    alice.turn_on()
    alice.go_away()
    titles = ["One", "Two", "Three", "Four"]
    demo.notify("alice", *titles)
    alice.receive(1, 2, 3, 4)
    assert {one["title"] for one in alice.shown()} == set(titles)


def test_whoever_looks_at_the_site_is_not_shown_it(arrive: Callable[..., Reader], demo: Demo) -> None:
    alice = arrive()
    alice.turn_on()
    demo.notify("alice", "You see this anyway")
    alice.receive(1)
    assert alice.shown() == []
    alice.go_away()
    demo.notify("alice", "And this later")
    alice.receive(2)
    assert [one["title"] for one in alice.shown()] == ["And this later"]


def test_a_click_marks_it_as_read(arrive: Callable[..., Reader], demo: Demo) -> None:
    alice = arrive()
    alice.turn_on()
    alice.go_away()
    demo.notify("alice", "Your train leaves at noon")
    alice.receive(1)
    with alice.context.expect_event("response", lambda response: "/clicked/" in response.url) as marked:
        alice.worker.evaluate(
            """async () => {
                const [notification] = await self.registration.getNotifications();
                self.dispatchEvent(new NotificationEvent("notificationclick", { notification }));
            }"""
        )
    assert marked.value.status == 200
    assert marked.value.json() == {"changed": 1}
    assert alice.shown() == []


def test_another_tab_follows_and_ends_it(arrive: Callable[..., Reader], demo: Demo) -> None:
    alice = arrive()
    alice.turn_on()
    other = alice.context.new_page()
    other.goto(PAGE)
    expect(other.get_by_text("This browser shows you notifications")).to_be_visible()
    other.get_by_role("button", name="Remove: Chrome, Linux").click()
    expect(alice.devices).to_have_count(0)
    expect(alice.question).to_be_visible()
    assert alice.page.evaluate("localStorage.getItem('subscribed')") is None


def test_it_is_turned_off_where_it_was_turned_on(arrive: Callable[..., Reader]) -> None:
    alice = arrive()
    alice.turn_on()
    alice.page.get_by_role("button", name="Turn off in this browser").click()
    expect(alice.question).to_be_visible()
    expect(alice.devices).to_have_count(0)


def test_who_signs_in_next_gets_nothing_that_is_the_first_ones(arrive: Callable[..., Reader]) -> None:
    alice = arrive()
    alice.turn_on()
    alice.page.get_by_role("button", name="Sign out").click()
    alice.page.get_by_role("button", name="Sign in as Bob").click()
    alice.page.goto(PAGE)
    expect(alice.question).to_be_visible()
    expect(alice.devices).to_have_count(0)


def test_a_failure_says_so_and_can_be_tried_again(arrive: Callable[..., Reader]) -> None:
    alice = arrive()
    alice.page.route(
        "**/api/push/", lambda route: route.fulfill(status=500, content_type="application/json", body="{}")
    )
    alice.question.click()
    expect(alice.page.get_by_text("That did not work. Please try again.")).to_be_visible()
    assert alice.page.evaluate("localStorage.getItem('subscribed')") is None
    alice.page.unroute("**/api/push/")
    alice.turn_on()


def test_where_notifications_are_blocked_it_says_so(visit: Callable[..., Visitor]) -> None:
    bob = visit("bob")  # the shell denies them, whatever one allows
    bob.page.goto(PAGE)
    expect(bob.page.get_by_text("This browser blocks notifications of this site.")).to_be_visible()
    expect(bob.page.get_by_role("button", name="Turn on in this browser")).to_be_hidden()


def test_where_there_is_no_push_it_says_so(visit: Callable[..., Visitor]) -> None:
    bob = visit("bob")
    bob.page.add_init_script("delete globalThis.PushManager")
    bob.page.goto(PAGE)
    expect(bob.page.get_by_text("This browser cannot show notifications")).to_be_visible()


@pytest.mark.thorough
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en", "de", "ar"])
def test_axe_finds_nothing_and_nothing_is_wider_than_a_telephone(
    arrive: Callable[..., Reader], scheme: str, language: str
) -> None:
    narrow = {"width": 360, "height": 700}
    alice = arrive(bypass_csp=True, color_scheme=scheme, viewport=narrow, locale=language)
    expect(alice.page.locator("html")).to_have_attribute("lang", language)
    expect(alice.question).to_be_visible()
    assert faults(alice.page) == []
    alice.turn_on()
    assert faults(alice.page) == []
    assert alice.page.evaluate("document.documentElement.scrollWidth") == narrow["width"]
