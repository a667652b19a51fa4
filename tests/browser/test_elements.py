"""What people do with the elements, in a real browser: look, read, archive, by mouse and by keyboard."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect

from .conftest import Demo, Visitor, new_page

pytestmark = pytest.mark.browser

Visit = Callable[..., Visitor]

SEND = """async (fields) => {
  const token = document.cookie.match(/csrftoken=([^;]+)/)[1];
  const headers = { "X-CSRFToken": token, Accept: "application/json" };
  await fetch("/send/", { method: "POST", body: new URLSearchParams(fields), headers });
}"""


def send(page: Page, **fields: str) -> None:
    """Send yourself a notification without touching the page."""
    page.evaluate(SEND, {"to": "me", **fields})


def refuse(route: Route) -> None:
    route.fulfill(status=500, content_type="application/json", body="{}")


def focused(page: Page) -> str:
    """Return the name of what has the focus, within shadow trees too."""
    name: str = page.evaluate(
        """() => {
          let element = document.activeElement;
          while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
          return element?.ariaLabel ?? element?.querySelector(".title")?.textContent ?? element?.textContent ?? "";
        }"""
    )
    return name


def test_the_bell_names_its_count_and_forgets_it_when_the_panel_opens(visit: Visit) -> None:
    alice = visit("alice")
    button = alice.bell.get_by_role("button").first
    expect(button).to_have_accessible_name("Notifications, 3 new")
    expect(alice.bell.locator(".badge")).to_have_text("3")
    alice.ring()
    expect(alice.titles).to_have_count(7)
    expect(button).to_have_accessible_name("Notifications")
    expect(alice.bell.locator(".badge")).to_be_hidden()
    expect(alice.bell.locator("li.unread")).to_have_count(3)  # seen is not read


def test_large_counts_are_cut(visit: Visit) -> None:
    alice = visit("alice")
    for _ in range(9):
        send(alice.page, level="burst")
    expect(alice.bell.locator(".badge")).to_have_text("99+")
    expect(alice.bell.get_by_role("button").first).to_have_accessible_name("Notifications, 99+ new")


def test_the_whole_panel_is_walked_by_keyboard_alone(visit: Visit) -> None:
    alice = visit("alice")
    page = alice.page
    button = alice.bell.get_by_role("button").first
    button.focus()
    page.keyboard.press("Enter")
    panel = alice.bell.get_by_role("dialog", name="Notifications")
    expect(panel).to_be_focused()
    expect(alice.titles).to_have_count(7)
    for name in ("Mark all as read", "All", "Unread", "Last night's backup failed"):
        page.keyboard.press("Tab")
        assert focused(page) == name
    page.keyboard.press("ArrowDown")
    assert focused(page) == "“Morning bells” is ready"
    page.keyboard.press("End")
    assert focused(page) == "Open tower day on 6 December"
    page.keyboard.press("Home")
    page.keyboard.press("Tab")
    assert focused(page) == "Mark as read: Last night's backup failed"
    page.keyboard.press("Enter")
    expect(alice.bell.locator("li.unread")).to_have_count(2)
    assert focused(page) == "Mark as unread: Last night's backup failed"  # the focus stays where it was
    page.keyboard.press("Tab")
    assert focused(page) == "Archive: Last night's backup failed"
    page.keyboard.press("Enter")
    expect(alice.titles).to_have_count(6)
    assert focused(page) == "“Morning bells” is ready"  # and goes to the next row when its own has gone
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    expect(button).to_be_focused()


def test_a_row_is_a_link_that_marks_as_read(visit: Visit) -> None:
    alice = visit("alice")
    alice.ring()
    link = alice.row("Morning bells").get_by_role("link")
    expect(link).to_have_attribute("href", "/")
    with alice.page.context.expect_page() as opened:
        link.click(button="middle")
    opened.value.close()
    expect(alice.bell.locator("li.unread")).to_have_count(2)
    with alice.page.expect_navigation():
        alice.row("You were mentioned").get_by_role("link").click()
    alice.ring()
    expect(alice.bell.locator("li.unread")).to_have_count(1)


PICTURE = '<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>'


def test_whoever_caused_it_is_shown_by_their_picture_or_else_by_their_initials(visit: Visit) -> None:
    alice = visit("alice")
    pictures: dict[str, str | None] = {"You were mentioned": "/face.svg", "New comment": "/gone.png"}

    def with_pictures(route: Route) -> None:
        answer = route.fetch()
        body = answer.json()
        for item in body["items"]:
            for start, address in pictures.items():
                if item["title"].startswith(start):
                    item["actor"] = {"id": 7, "name": "María de la O  ärmlich", "avatar": address}
            if item["title"].startswith("Open tower day"):
                item["icon"] = "/face.svg"  # a picture of what happened
        route.fulfill(response=answer, json=body)

    alice.page.route("**/api/inbox/?*", with_pictures)
    # Seen items come again over the stream, as the server has them: without pictures.
    alice.page.route("**/api/inbox/seen/", lambda route: route.fulfill(json={"changed": 0, "unread": 3, "unseen": 3}))
    alice.page.route("**/face.svg", lambda route: route.fulfill(content_type="image/svg+xml", body=PICTURE))
    alice.page.route("**/gone.png", lambda route: route.fulfill(status=404))
    alice.ring()
    face = alice.row("You were mentioned").locator(".level")
    expect(face.locator("img")).to_have_js_property("naturalWidth", 1)
    expect(alice.row("New comment").locator(".level")).to_have_text("M\u200cä")
    expect(alice.row("Morning bells").locator(".level svg")).to_have_count(1)
    expect(alice.row("Open tower day").locator(".level img")).to_have_js_property("naturalWidth", 1)
    expect(alice.row("You were mentioned").get_by_role("link")).not_to_have_accessible_name(re.compile("^M"))


def test_the_right_button_only_opens_a_menu(visit: Visit) -> None:
    alice = visit("alice")
    send(alice.page, title="One")
    toast = alice.page.locator("notification-toasts li")
    toast.get_by_role("button", name="One", exact=True).click(button="right")
    expect(toast).to_have_count(1)
    alice.ring()
    expect(alice.bell.locator("li.unread")).to_have_count(4)
    alice.row("Morning bells").get_by_role("link").click(button="right")
    alice.row("Morning bells").hover()
    alice.row("Morning bells").get_by_role("button", name="Mark as read").click()
    expect(alice.bell.locator("li.unread")).to_have_count(3)


def test_a_rows_buttons_cover_none_of_its_title(visit: Visit) -> None:
    alice = visit("alice")
    long = "The stairs are being mended and the ropes exchanged for new ones, so the chamber is closed until Thursday"
    send(alice.page, title=long)
    send(alice.page, title="استبدال الحبال بأخرى جديدة " * 6)
    send(alice.page, title=long.replace(" ", ""))
    alice.ring()
    expect(alice.titles.nth(2)).to_have_text(long)
    overlaps = """row => {
      const range = document.createRange();
      range.selectNodeContents(row.querySelector(".title bdi"));
      const buttons = [...row.querySelectorAll(".icon")].map((button) => button.getBoundingClientRect());
      return [...range.getClientRects()].filter((line) => buttons.some((button) =>
        line.left < button.right && line.right > button.left && line.top < button.bottom && line.bottom > button.top
      )).length;
    }"""
    rows = alice.bell.locator("li")
    assert [rows.nth(number).evaluate(overlaps) for number in range(3)] == [0, 0, 0]


def test_text_is_never_markup(visit: Visit) -> None:
    alice = visit("alice")
    text = "<img src=x onerror=\"document.title='broken'\">"
    send(alice.page, title=text, body=text)
    expect(alice.page.locator("notification-toasts .title")).to_have_text(text)
    alice.ring()
    expect(alice.titles.first).to_have_text(text)
    assert alice.page.title() != "broken"


def test_what_arrives_while_one_reads_waits_behind_a_pill(visit: Visit) -> None:
    alice = visit("alice")
    alice.ring()
    expect(alice.titles).to_have_count(7)
    send(alice.page, title="Just now")
    pill = alice.bell.get_by_role("button", name="1 new", exact=True)
    expect(pill).to_be_visible()
    expect(alice.titles).to_have_count(7)
    pill.click()
    expect(alice.titles.first).to_have_text("Just now")
    expect(pill).to_be_hidden()
    expect(alice.bell).to_have_attribute("count", "0")  # it was seen


def test_the_unread_filter_keeps_what_was_just_read_in_place(visit: Visit) -> None:
    alice = visit("alice")
    alice.ring()
    unread = alice.bell.get_by_role("button", name="Unread", exact=True)
    unread.click()
    expect(unread).to_have_attribute("aria-pressed", "true")
    expect(alice.titles).to_have_count(3)
    alice.row("Morning bells").hover()
    alice.row("Morning bells").get_by_role("button", name="Mark as read").click()
    expect(alice.bell.locator("li.unread")).to_have_count(2)
    expect(alice.titles).to_have_count(3)


def test_mark_all_as_read_and_the_empty_state(visit: Visit) -> None:
    alice = visit("alice")
    alice.ring()
    alice.bell.get_by_role("button", name="Mark all as read").click()
    expect(alice.bell.locator("li.unread")).to_have_count(0)
    expect(alice.bell.get_by_role("button", name="Mark all as read")).to_be_hidden()
    alice.bell.get_by_role("button", name="Unread", exact=True).click()
    expect(alice.bell.get_by_text("No unread notifications")).to_be_visible()


def test_nothing_moves_under_the_pointer_on_the_inbox_page(visit: Visit) -> None:
    alice = visit("alice")
    page = alice.page
    page.goto("/notifications/")
    inbox = page.locator("notification-list")
    row = inbox.locator("li.item", has_text="Morning bells")
    row.hover()
    before = row.bounding_box()
    send(page, title="While one points")
    expect(inbox.get_by_role("button", name="1 new")).to_be_visible()
    after = row.bounding_box()
    assert before
    assert after
    assert abs(after["y"] - before["y"]) <= 1, "the pill takes no room"
    page.mouse.move(5, 5)
    expect(inbox.locator("li .title").first).to_have_text("While one points")


def test_however_much_is_loaded_a_hundred_rows_are_in_the_page(visit: Visit, demo: Demo) -> None:
    alice = visit("alice")
    page = alice.page
    demo.notify("alice", *(f"Number {number}" for number in range(160)))
    page.goto("/notifications/")
    inbox = page.locator("notification-list")
    rows = inbox.locator("li.item")
    more = inbox.get_by_role("button", name="Load more")
    oldest = rows.filter(has_text="Open tower day on 6 December")
    for _ in range(20):
        more.or_(oldest).first.wait_for()
        if oldest.count():
            break
        last = rows.last.locator(".title").inner_text()
        more.click()
        expect(rows.last.locator(".title")).not_to_have_text(last)
        assert rows.count() <= 100
    expect(oldest).to_have_count(1)
    newer = inbox.get_by_role("button", name="Show newer")
    for _ in range(20):
        if not newer.is_visible():
            break
        first = rows.first.locator(".title").inner_text()
        newer.click()
        expect(rows.first.locator(".title")).not_to_have_text(first)
        assert rows.count() <= 100
    expect(rows.first.locator(".title")).to_have_text("Number 159")


def test_a_long_body_can_be_read_to_its_end(visit: Visit) -> None:
    alice = visit("alice")
    send(alice.page, title="Story", body="Once upon a time there was a bell. " * 20 + "The end.")
    send(alice.page, title="Note", body="Short.")
    alice.ring()
    story = alice.row("Story")
    expect(story.get_by_role("button", name="Show more")).to_be_visible()
    # Asked of the bell each time: the panel's style may come after its rows, and a row that was seen is drawn anew.
    cut = """([bell, cut]) => {
        const body = bell.shadowRoot.querySelector("li.long .body");
        return body && (body.scrollHeight > body.clientHeight + 1) === cut;
    }"""
    bell = alice.bell.element_handle()
    alice.page.wait_for_function(cut, arg=[bell, True])
    story.get_by_role("button", name="Show more").click()
    alice.page.wait_for_function(cut, arg=[bell, False])
    expect(story.get_by_role("button", name="Show less")).to_have_attribute("aria-expanded", "true")
    expect(alice.row("Note").get_by_role("button", name="Show more")).to_have_count(0)


def test_the_page_has_room_for_six_lines_of_a_body_and_a_phone_for_one_of_a_toast(visit: Visit) -> None:
    alice = visit("alice")
    page = alice.page
    send(page, title="Story", body="Once upon a time there was a bell. " * 40)
    lines = "(body) => Math.round(body.clientHeight / parseFloat(getComputedStyle(body).lineHeight))"
    assert page.locator("notification-toasts .body").evaluate(lines) == 2
    page.set_viewport_size({"width": 400, "height": 700})
    assert page.locator("notification-toasts .body").evaluate(lines) == 1
    page.set_viewport_size({"width": 1280, "height": 800})
    page.goto("/notifications/")
    row = page.locator("notification-list li", has_text="Story")
    expect(row.get_by_role("button", name="Show more")).to_be_visible()
    # Asked of the list each time: a row that was seen is drawn anew.
    body = "[...list.shadowRoot.querySelectorAll('.body')].find(({ textContent }) => textContent.startsWith('Once'))"
    of_the_row = f"(list) => ({lines})({body})"
    assert page.locator("notification-list").evaluate(of_the_row) == 6
    row.get_by_role("button", name="Show more").click()
    assert page.locator("notification-list").evaluate(of_the_row) > 6


def test_a_phone_has_room_for_fingers_and_for_the_page(visit: Visit, browser: Browser, demo: Demo) -> None:
    page = new_page(browser, demo.server.url, viewport={"width": 360, "height": 700}, has_touch=True, is_mobile=True)
    alice = Visitor(page)
    page.goto("/")
    page.get_by_role("button", name="Sign in as Alice").click()
    alice.until_live()
    for number in range(3):
        send(page, title=f"Number {number}", body="A story without an end. " * 20)
    toasts = page.locator("notification-toasts li")
    expect(toasts).to_have_count(3)
    expect(toasts.filter(visible=True)).to_have_count(1)
    box = page.locator("notification-toasts section").bounding_box()
    assert box
    assert box["height"] < 700 / 4
    alice.ring()
    expect(alice.titles.first).to_be_visible()
    sizes = alice.bell.evaluate(
        """(bell) => [...bell.shadowRoot.querySelectorAll(".panel :is(button, a)")]
             .filter((one) => one.checkVisibility()).map((one) => one.getBoundingClientRect())
             .map(({ width, height }) => Math.round(Math.min(width, height)))"""
    )
    assert len(sizes) > 10
    assert min(sizes) >= 44
    assert page.evaluate("() => document.documentElement.scrollWidth") == 360
    page.context.close()


@pytest.mark.parametrize("action", ["Archive", "Mark as read"])
def test_a_list_that_runs_out_goes_on_with_what_the_server_has(visit: Visit, action: str) -> None:
    alice = visit("alice")
    page = alice.page
    for _ in range(2):
        send(page, level="burst")
    page.goto("/notifications/")
    inbox = page.locator("notification-list")
    if action == "Mark as read":
        inbox.locator("[data-state=unread]").click()
    expect(inbox.locator("li.item")).to_have_count(20)
    ids = "(list) => [...list.shadowRoot.querySelectorAll('li.item')].map((row) => Number(row.dataset.id))"
    verb = {"Archive": "archive", "Mark as read": "markRead"}[action]
    page.evaluate(f"(ids) => globalThis[Symbol.for('carillon')].{verb}(ids)", inbox.evaluate(ids))
    expect(inbox.locator("li.item").first).to_be_visible()
    expect(inbox.locator(".note")).to_be_hidden()
    assert inbox.locator("li.item").count() < 20


def test_the_focus_outlives_the_button_that_it_was_on(visit: Visit) -> None:
    alice = visit("alice")
    keyboard = alice.page.keyboard
    button = alice.bell.get_by_role("button").first
    panel = alice.bell.get_by_role("dialog")
    button.focus()
    keyboard.press("Enter")
    expect(alice.titles).to_have_count(7)
    send(alice.page, title="One")
    for name in ("1 new", "Mark all as read"):
        gone = alice.bell.get_by_role("button", name=name, exact=True)
        gone.focus()
        keyboard.press("Enter")
        expect(gone).to_be_hidden()
        expect(panel).to_be_focused()
    keyboard.press("Escape")
    expect(panel).to_be_hidden()
    expect(button).to_be_focused()


def test_the_page_does_not_jump_when_the_focus_goes_to_its_card(visit: Visit) -> None:
    alice = visit("alice")
    page = alice.page
    send(page, level="burst")
    page.goto("/notifications/")
    expect(page.locator("notification-list li.item")).to_have_count(19)
    read_all = page.get_by_role("button", name="Mark all as read").and_(page.locator("notification-list button"))
    read_all.focus()
    page.keyboard.press("Enter")
    expect(read_all).to_be_hidden()
    expect(page.locator("notification-list .card")).to_be_focused()
    assert page.evaluate("() => scrollY") == 0


def test_the_panel_ends_inside_the_window_wherever_the_bell_stands(visit: Visit) -> None:
    alice = visit("alice")
    page = alice.page
    page.set_viewport_size({"width": 700, "height": 500})
    page.locator("header").evaluate("header => (header.style.paddingTop = '150px')")
    alice.ring()
    expect(alice.titles).to_have_count(7)
    expect(alice.bell.get_by_role("link", name="See all notifications")).to_be_in_viewport(ratio=1)


def test_a_refused_action_is_rolled_back_and_can_be_repeated(visit: Visit) -> None:
    alice = visit("alice")
    alice.page.route("**/archive/", refuse)
    alice.ring()
    alice.row("Morning bells").hover()
    alice.row("Morning bells").get_by_role("button", name="Archive").click()
    failure = alice.bell.get_by_role("alert")
    expect(failure).to_contain_text("Could not archive.")
    expect(alice.titles).to_have_count(7)
    alice.page.unroute("**/archive/")
    failure.get_by_role("button", name="Try again").click()
    expect(alice.titles).to_have_count(6)
    expect(failure).to_be_empty()


def test_a_panel_whose_script_cannot_be_had_says_so_and_tries_again(visit: Visit) -> None:
    alice = visit("alice")
    page = alice.page
    page.route("**/panel*.js", lambda route: route.abort())
    page.reload()
    alice.until_live()
    alice.ring()
    expect(alice.bell.get_by_text("Could not load notifications. The server cannot be reached.")).to_be_visible()
    expect(alice.bell.locator(".badge")).to_have_text("3")  # nobody has seen anything
    again = alice.bell.get_by_role("button", name="Try again")
    again.click()
    expect(alice.bell.get_by_role("dialog")).to_be_focused()
    expect(again).to_be_visible()
    page.unroute("**/panel*.js")
    again.click()
    expect(alice.titles).to_have_count(7)
    expect(alice.bell.locator(".badge")).to_be_hidden()


def test_a_bell_that_has_nothing_new_fetches_its_panel_when_somebody_comes_near(visit: Visit) -> None:
    alice = visit("alice")
    page = alice.page
    with page.expect_response("**/seen/"):
        alice.ring()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.reload()
    alice.until_live()
    assert not [url for url in asked if "/panel" in url]
    with page.expect_request("**/panel*.js"):
        alice.bell.get_by_role("button").first.hover()


def test_the_page_of_the_server_stays_where_the_lists_script_cannot_be_had(visit: Visit) -> None:
    alice = visit("alice")
    page = alice.page
    page.route("**/panel*.js", lambda route: route.abort())
    page.goto("/notifications/")
    alice.until_live()
    inbox = page.locator("notification-list")
    inbox.locator(".notifications-item", has_text="Morning bells").get_by_role("button", name="Mark as read").click()
    row = inbox.locator(".notifications-item", has_text="Morning bells")
    expect(row.get_by_role("button", name="Mark as unread")).to_be_visible()


def test_a_list_that_cannot_be_loaded_says_so(visit: Visit) -> None:
    alice = visit("alice")
    alice.page.route("**/api/inbox/?*", refuse)
    alice.ring()
    expect(alice.bell.get_by_text("Could not load notifications.")).to_be_visible()
    alice.page.unroute("**/api/inbox/?*")
    alice.bell.get_by_role("button", name="Try again").click()
    expect(alice.titles).to_have_count(7)


def test_what_is_told_again_keeps_its_button_and_the_focus(visit: Visit) -> None:
    alice = visit("alice")
    alice.page.route("**/api/inbox/?*", refuse)
    alice.ring()
    again = alice.bell.get_by_role("button", name="Try again")
    again.focus()
    again.evaluate("button => { window.button = button }")
    alice.page.evaluate("document.querySelector('notification-bell').render()")
    expect(again).to_be_focused()
    assert again.evaluate("button => button === window.button")


def test_an_element_whose_style_could_not_be_had_asks_again_when_it_comes_back(visit: Visit) -> None:
    alice = visit("alice")
    page = alice.page
    page.route("**/elements*.css", lambda route: route.abort())
    page.reload()
    bell = page.locator("notification-bell")
    expect(bell.locator("> a")).to_be_visible()
    with page.expect_event("requestfailed", lambda request: "elements" in request.url):
        page.evaluate("document.body.append(document.createElement('notification-toasts'))")
    expect(bell.locator("> a")).to_be_visible()
    page.unroute("**/elements*.css")
    bell.evaluate("bell => bell.replaceWith(bell)")
    expect(bell.get_by_role("button", name="Notifications, 3 new")).to_be_visible()


def test_the_desktops_switch_goes_off_where_the_browser_breaks_its_word(visit: Visit) -> None:
    alice = visit("alice")
    page = alice.page
    page.context.add_init_script(
        """
        window.broken = false;
        window.Notification = class {
          static permission = "granted";
          static requestPermission = async () => "granted";
          constructor() { if (window.broken) throw new TypeError("Illegal constructor"); }
          close() {}
        };
        """
    )
    page.goto("/notifications/")
    switch = page.locator("notification-list").get_by_role("checkbox", name="Desktop notifications")
    switch.check()
    page.evaluate(
        """() => {
          window.broken = true;
          Object.defineProperty(document, "visibilityState", { get: () => "hidden", configurable: true });
          document.dispatchEvent(new Event("visibilitychange"));
        }"""
    )
    send(page, title="While one is away")
    expect(switch).not_to_be_checked()


def test_toasts_tell_what_arrived_three_at_most(visit: Visit) -> None:
    alice = visit("alice")
    toasts = alice.page.locator("notification-toasts li")
    for title in ("One", "Two", "Three", "Four"):
        send(alice.page, title=title)
        expect(toasts.last).to_contain_text(title)
    expect(toasts).to_have_count(3)
    toasts.first.get_by_role("button", name="Dismiss: Two").click()
    expect(toasts).to_have_count(2)
    send(alice.page, level="burst")
    expect(toasts).to_have_count(1)
    expect(toasts).to_contain_text("12 new notifications")


def a_toast_of_a_minute(page: Page) -> Locator:
    """Show a toast on a page whose clock the test turns; return all toasts."""
    page.locator("notification-toasts").evaluate("element => element.setAttribute('duration', '60000')")
    toasts = page.locator("notification-toasts li")
    page.clock.install()
    send(page, title="One")
    expect(toasts).to_have_count(1)
    return toasts


def test_a_toast_stays_while_it_is_read_and_goes_by_itself(visit: Visit) -> None:
    alice = visit("alice")
    page = alice.page
    toasts = a_toast_of_a_minute(page)
    toasts.hover()
    page.clock.run_for(120_000)
    expect(toasts).to_have_count(1)
    page.mouse.move(10, 300)
    page.clock.run_for(61_000)
    expect(toasts).to_have_count(0)


def test_a_toast_goes_by_itself_after_another_was_clicked_away(visit: Visit) -> None:
    alice = visit("alice")
    page = alice.page
    toasts = a_toast_of_a_minute(page)
    send(page, title="Two")
    expect(toasts).to_have_count(2)
    toasts.first.get_by_role("button", name="Dismiss").click()
    expect(toasts).to_have_count(1)
    page.mouse.move(10, 300)
    page.clock.run_for(61_000)
    expect(toasts).to_have_count(0)


def test_a_toast_goes_by_itself_after_another_was_tapped_away(demo: Demo, browser: Browser) -> None:
    bob = Visitor(new_page(browser, demo.server.url, has_touch=True))
    page = bob.page
    page.goto("/")
    page.get_by_role("button", name="Sign in as Bob").click()
    bob.until_live()
    page.locator("notification-toasts").evaluate("element => element.setAttribute('duration', '2000')")
    toasts = page.locator("notification-toasts li")
    send(page, title="One")
    expect(toasts).to_have_count(1)
    send(page, title="Two")
    expect(toasts).to_have_count(2)
    toasts.first.get_by_role("button", name="Dismiss").tap()
    expect(toasts).to_have_count(0, timeout=10_000)
    page.context.close()


def test_no_toasts_while_the_panel_is_open(visit: Visit) -> None:
    alice = visit("alice")
    alice.ring()
    send(alice.page, title="One")
    expect(alice.bell.get_by_role("button", name="1 new", exact=True)).to_be_visible()
    expect(alice.page.locator("notification-toasts li")).to_have_count(0)


def test_what_arrives_while_the_panel_is_open_is_read_out_all_the_same(visit: Visit) -> None:
    alice = visit("alice")
    alice.ring()
    expect(alice.titles).to_have_count(7)
    send(alice.page, title="One")
    expect(alice.bell.locator("[aria-live=polite]", has_text="New notification: One")).to_have_count(1)


def test_a_failed_action_is_told_by_a_toast_that_stays(visit: Visit) -> None:
    alice = visit("alice")
    page = alice.page
    page.route("**/read/", refuse)
    page.evaluate("() => globalThis[Symbol.for('carillon')].markRead(1)")
    toast = page.locator("notification-toasts li", has_text="Could not mark as read.")
    expect(toast).to_be_visible()
    page.clock.install()
    page.clock.run_for(60_000)
    expect(toast).to_be_visible()
    expect(toast.get_by_role("button", name="Try again")).to_be_visible()


def test_arrivals_are_read_out_from_a_region_that_was_there_before(visit: Visit) -> None:
    alice = visit("alice")
    region = alice.page.locator("notification-toasts [aria-live=polite]")
    expect(region).to_have_count(1)
    send(alice.page, title="Ding", body="dong")
    expect(region).to_have_text("New notification: Ding")


def test_the_list_page_takes_over_from_the_servers_page(visit: Visit) -> None:
    alice = visit("alice")
    page = alice.page
    page.goto("/notifications/")
    rows = page.locator("notification-list li.item")
    expect(rows).to_have_count(7)
    expect(page.locator(".notifications-inbox")).to_be_hidden()
    page.get_by_role("link", name="Archived").click()
    expect(page).to_have_url(re.compile(r"/notifications/\?state=archived$"))
    expect(rows).to_have_count(1)
    rows.first.hover()
    rows.first.get_by_role("button", name="Move to inbox").click()
    expect(page.get_by_text("The archive is empty")).to_be_visible()
    page.get_by_role("link", name="All", exact=True).click()
    expect(rows).to_have_count(8)
    send(page, title="Just now")
    expect(rows.first).to_contain_text("Just now")


def test_the_list_loads_more(visit: Visit) -> None:
    alice = visit("alice")
    page = alice.page
    send(page, level="burst")
    send(page, level="burst")
    page.goto("/notifications/")
    rows = page.locator("notification-list li.item")
    expect(rows).to_have_count(20)
    page.get_by_role("button", name="Load more").click()
    expect(rows).to_have_count(31)
    expect(page.get_by_role("button", name="Load more")).to_be_hidden()


def test_a_moved_bell_keeps_its_connection(visit: Visit) -> None:
    alice = visit("alice")
    opened: list[Any] = []
    alice.page.on("request", lambda request: opened.append(request) if "/stream/" in request.url else None)
    alice.bell.evaluate("bell => document.querySelector('main').prepend(bell)")
    send(alice.page, title="Still here")
    expect(alice.bell.locator(".badge")).to_have_text("4")
    assert opened == []


def test_the_status_is_calm_at_first_and_honest_then(visit: Visit, demo: Demo) -> None:
    alice = visit("alice")
    page = alice.page
    banner = page.locator("connection-status[variant=banner]")
    expect(banner).not_to_have_attribute("shown", "")
    demo.server.kill()
    expect(alice.status).to_have_attribute("tone", "wait", timeout=10_000)
    expect(banner).to_have_attribute("shown", "", timeout=30_000)
    expect(banner.get_by_role("status")).to_contain_text("Reconnecting")
    demo.server.start()
    expect(banner.get_by_role("status")).to_have_text("Back online", timeout=60_000)
    expect(banner).not_to_have_attribute("shown", "", timeout=10_000)
    expect(alice.status).to_have_attribute("state", "live")


def test_what_the_page_itself_stopped_cannot_be_tried_again(visit: Visit) -> None:
    alice = visit("alice")
    banner = alice.page.locator("connection-status[variant=banner]")
    alice.page.evaluate("() => globalThis[Symbol.for('carillon')].stop()")
    expect(banner.get_by_role("status")).to_have_text("Live updates have stopped")
    expect(banner.get_by_role("button")).to_be_hidden()


def test_a_tab_from_before_a_deploy_offers_to_reload(visit: Visit) -> None:
    def deploy(route: Route) -> None:
        page = route.fetch()
        route.fulfill(response=page, body=re.sub(r'"version": "[^"]+"', '"version": "99.0"', page.text()))

    alice = visit("alice")
    banner = alice.page.locator("connection-status[variant=banner]")
    expect(banner).not_to_have_attribute("shown", "")
    alice.page.context.route(re.compile(r":\d+/$"), deploy)
    later = alice.page.context.new_page()
    later.goto("/")
    expect(banner.get_by_role("status")).to_have_text("A new version is available")
    expect(alice.status).to_have_attribute("state", "live")
    alice.ring()
    expect(alice.bell.locator(".status").get_by_role("button", name="Reload")).to_be_visible()
    send(alice.page, title="Still live")
    expect(alice.bell.get_by_role("button", name="1 new", exact=True)).to_be_visible()
    alice.page.keyboard.press("Escape")  # an open panel may lie over the banner
    with alice.page.expect_navigation():
        banner.get_by_role("button", name="Reload").click()
    alice.until_live()
    expect(banner).not_to_have_attribute("shown", "")


@pytest.mark.parametrize("language", ["de", "ar"])
def test_the_demos_header_fits_the_narrowest_window(visit: Visit, language: str) -> None:
    page = visit("alice").page
    page.set_viewport_size({"width": 320, "height": 640})
    page.locator(f".languages button[value={language}]").click()
    expect(page.locator("html")).to_have_attribute("lang", language)
    assert page.evaluate("() => document.documentElement.scrollWidth") == 320


def test_without_javascript_the_bell_is_a_link_and_the_page_works(visit: Visit) -> None:
    alice = visit("alice", javascript=False)
    page = alice.page
    bell = page.get_by_role("link", name="Notifications, 3 new")
    expect(bell).to_have_text("3")
    bell.click()
    rows = page.locator(".notifications-item")
    expect(rows).to_have_count(7)
    rows.first.get_by_role("button", name="Archive").click()
    expect(rows).to_have_count(6)
    page.get_by_role("link", name="Archived").click()
    expect(rows).to_have_count(2)
    page.goto("/notifications/")
    page.get_by_role("button", name="Mark all as read").click()
    expect(page.locator(".notifications-item.unread")).to_have_count(0)
