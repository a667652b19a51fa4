"""The chat as people meet it: two browsers that talk, through a network that fails them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.browser.conftest import Demo, Visitor, manage, new_page
from tests.servers.faults import FaultProxy

pytestmark = pytest.mark.browser

PATIENCE = 45_000  # ms; the longest wait of the reconnect is 30 s
DIRECT, GROUP = {"alice": "Bob Baker", "bob": "Alice Amari"}, "Sunday ringers"
LOOK = """(room) => [...room.shadowRoot.querySelectorAll("li.row .body")].map((body) => body.textContent)"""


class Talker(Visitor):
    """Somebody at the chat page."""

    name = ""

    @property
    def room(self) -> Locator:
        """Return the conversation."""
        return self.page.locator("chat-room")

    @property
    def field(self) -> Locator:
        """Return where a message is written."""
        return self.room.get_by_role("textbox")

    @property
    def rows(self) -> Locator:
        """Return the messages."""
        return self.room.locator("li.row")

    def row(self, text: str) -> Locator:
        """Return the one message that says just this."""
        return self.room.locator("li.row", has=self.page.locator(".body p", has_text=text))

    def listed(self, name: str) -> Locator:
        """Return a row of the list of conversations."""
        return self.page.locator("chat-list li", has_text=name)

    def open(self, name: str = "") -> None:
        """Choose a conversation; the direct one if it is not named."""
        self.listed(name or DIRECT[self.name]).get_by_role("link").click()
        expect(self.room).to_have_attribute("state", "live", timeout=PATIENCE)
        expect(self.room.get_by_role("log")).to_have_attribute("aria-busy", "false")
        expect(self.rows).not_to_have_count(0)

    def say(self, *texts: str) -> None:
        """Write and send."""
        for text in texts:
            self.field.fill(text)
            self.field.press("Enter")
            expect(self.field).to_have_value("")

    def seen(self) -> list[str]:
        """Return what the page shows, from top to bottom."""
        said: list[str] = self.room.evaluate(LOOK)
        return said

    def until_sent(self) -> None:
        """Wait until nothing waits any more."""
        expect(self.room.locator("li.pending")).to_have_count(0, timeout=PATIENCE)


@pytest.fixture
def join(demo: Demo, browser: Browser) -> Iterator[Callable[..., Talker]]:
    """Return a function that opens the chat page in a browser of one's own, perhaps through a proxy."""
    talkers: list[Talker] = []

    def arrive(name: str, *, through: FaultProxy | None = None, path: str = "/chat/", **options: Any) -> Talker:
        url = through.url if through else demo.server.url
        page = new_page(browser, url, **options)
        talker = Talker(page)
        talker.name = name
        talkers.append(talker)
        page.goto("/")
        page.locator(f'form[action$="/{name}/"] button').click()
        expect(page.get_by_role("heading", level=1)).to_contain_text(name.capitalize())
        page.goto(path)
        expect(page.locator("chat-list li")).not_to_have_count(0)
        return talker

    yield arrive
    for talker in talkers:
        talker.page.context.close()
    assert [fault for talker in talkers for fault in talker.faults] == []


def in_shell(demo: Demo, *lines: str) -> None:
    """Run lines in the demo's shell, with its people and rooms at hand."""
    start = (
        "from django.contrib.auth.models import User",
        "from notifications.models import Room",
        "from notifications.services import *",
        "alice, bob = (User.objects.get(username=name) for name in ('alice', 'bob'))",
        f"group, direct = Room.objects.get(name={GROUP!r}), open_direct_room(alice, bob)",
    )
    manage(demo.database, "shell", "--no-imports", "-v", "0", "-c", "\n".join([*start, *lines]))


def test_two_talk_through_a_black_hole_and_a_killed_server(
    demo: Demo, join: Callable[..., Talker], fault_proxy: Callable[[int], FaultProxy]
) -> None:
    proxy = fault_proxy(demo.server.port)
    alice, bob = join("alice"), join("bob", through=proxy)
    alice.open()
    bob.open()
    before = len(bob.seen())
    typed: dict[str, list[str]] = {"a": [], "b": []}

    def both_say(moment: str) -> None:
        for talker, key in ((alice, "a"), (bob, "b")):
            texts = [f"{key} {moment} {number}" for number in (1, 2, 3)]
            talker.say(*texts)
            typed[key] += texts

    both_say("in peace")
    expect(bob.row("a in peace 3")).to_be_visible()
    expect(alice.row("b in peace 3")).to_be_visible()
    expect(bob.room.locator("li.pending")).to_have_count(0)  # others may see a message before its author hears of it

    proxy.black_hole()
    both_say("in the dark")
    expect(bob.room.locator("li.pending")).to_have_count(3)
    expect(bob.room).not_to_have_attribute("state", "live", timeout=PATIENCE)  # 10 s without a word, whatever TCP says
    proxy.heal()
    bob.until_sent()
    expect(alice.row("b in the dark 3")).to_be_visible(timeout=PATIENCE)

    demo.server.kill()
    for talker in (alice, bob):
        expect(talker.room).not_to_have_attribute("state", "live", timeout=PATIENCE)
    both_say("without a server")
    demo.server.start()
    for talker in (alice, bob):
        talker.until_sent()
    expect(alice.rows).to_have_count(before + 18, timeout=PATIENCE)
    expect(bob.rows).to_have_count(before + 18, timeout=PATIENCE)

    said = alice.seen()[before:]
    assert bob.seen()[before:] == said
    for key, texts in typed.items():
        assert [text for text in said if text.startswith(key)] == texts  # each once, in the order of writing


def test_what_waits_outlives_the_page(
    demo: Demo, join: Callable[..., Talker], fault_proxy: Callable[[int], FaultProxy]
) -> None:
    proxy = fault_proxy(demo.server.port)
    alice, bob = join("alice"), join("bob", through=proxy)
    alice.open()
    bob.open()
    texts = [f"From the outbox {number}" for number in range(1, 8)]
    proxy.black_hole()
    bob.say(*texts)
    bob.field.fill("A thought that is not finished")
    address = bob.page.url
    later = bob.page.context.new_page()
    bob.page.close()
    proxy.heal()

    bob = Talker(later)
    bob.page.goto(address)
    expect(bob.field).to_have_value("A thought that is not finished")
    bob.until_sent()
    expect(alice.row(texts[-1])).to_be_visible(timeout=PATIENCE)
    assert [text for text in alice.seen() if text.startswith("From the outbox")] == texts
    assert later.evaluate("Object.keys(localStorage).filter((key) => key.startsWith('carillon-outbox')).length") == 0


def test_a_message_that_is_refused_waits_for_a_decision(join: Callable[..., Talker], demo: Demo) -> None:
    alice, bob = join("alice"), join("bob")
    alice.open(GROUP)
    bob.open(GROUP)
    in_shell(demo, "remove_member(group, bob)")
    expect(bob.room.get_by_text("You are not a member of this conversation.")).to_be_visible()
    expect(bob.field).to_be_disabled()
    expect(bob.listed(GROUP)).to_have_count(0)
    alice.say("Only among us now")
    expect(alice.row("Only among us now").locator(".status")).to_have_text("Sent")
    assert "Only among us now" not in bob.seen()


def test_edit_delete_react_and_reply_reach_the_other(join: Callable[..., Talker]) -> None:
    alice, bob = join("alice"), join("bob")
    alice.open()
    bob.open()
    bob.say("The first versoin")
    row = alice.row("The first versoin")
    row.hover()
    row.get_by_role("button", name="React").click()
    alice.room.get_by_role("button", name="🎉").last.click()
    expect(bob.row("The first versoin").get_by_role("button", name="🎉, 1")).to_be_visible()

    bob.until_sent()
    bob.field.press("ArrowUp")
    expect(bob.field).to_have_value("The first versoin")
    bob.field.fill("The second version")
    bob.field.press("Enter")
    expect(alice.row("The second version")).to_contain_text("edited")

    alice.row("The second version").hover()
    alice.row("The second version").get_by_role("button", name="Reply").click()
    alice.say("I like it")
    expect(bob.row("I like it").locator(".quoted")).to_contain_text("The second version")

    bob.row("The second version").first.hover()
    bob.row("The second version").first.get_by_role("button", name="Delete").click()
    bob.room.locator("dialog").get_by_role("button", name="Delete").click()
    expect(alice.room.locator("li.deleted")).to_have_count(1)
    expect(alice.row("I like it").locator(".quoted")).to_contain_text("This message was deleted")


def test_typing_presence_and_receipts_are_told(join: Callable[..., Talker]) -> None:
    alice = join("alice")
    alice.open()
    bob = join("bob")
    expect(alice.room.locator("header")).to_contain_text("Online")
    expect(alice.listed("Bob Baker").locator(".here")).to_be_visible()
    alice.say("Are you there?")
    expect(alice.row("Are you there?").locator(".status")).to_have_text("Sent")
    expect(bob.listed("Alice Amari").locator(".badge")).to_be_visible()
    bob.open()
    expect(alice.row("Are you there?").locator(".status")).to_have_text("Read")
    expect(bob.listed("Alice Amari").locator(".badge")).to_have_count(0)
    bob.field.press_sequentially("Ye")
    expect(alice.room.locator(".typing")).to_contain_text("Bob Baker is typing")
    bob.say("Yes")
    expect(alice.room.locator(".typing")).to_be_empty()


def test_a_mention_rings_the_bell(join: Callable[..., Talker]) -> None:
    alice, bob = join("alice"), join("bob")
    count = alice.count()
    bob.open(GROUP)
    bob.say("@alice has the key")
    expect(alice.bell).to_have_attribute("count", str(count + 1))
    expect(alice.page.locator("notification-toasts")).to_contain_text("Bob Baker mentioned you")
    alice.open(GROUP)
    expect(alice.row("@alice has the key").locator(".mention.own")).to_have_text("@alice")


def test_a_mention_in_the_room_that_is_open_covers_nothing(join: Callable[..., Talker]) -> None:
    alice, bob = join("alice", viewport={"width": 1000, "height": 420}), join("bob")
    alice.open(GROUP)
    expect(alice.room.locator("header")).to_contain_text("Members: 3")
    alice.room.locator(".scroll").evaluate("(log) => { log.scrollTop = 0; }")  # what is not on the screen is not read
    expect(alice.room.locator(".latest")).to_be_visible()
    count = alice.count()
    bob.open(GROUP)
    bob.say("@alice is here already")
    expect(alice.bell).to_have_attribute("count", str(count + 1))
    expect(alice.page.locator("notification-toasts li")).to_have_count(0)


def test_a_deleted_message_says_that_alone(join: Callable[..., Talker]) -> None:
    alice, bob = join("alice"), join("bob")
    alice.open()
    bob.open()
    alice.say("A question")
    bob.row("A question").hover()
    bob.row("A question").get_by_role("button", name="Reply").click()
    bob.say("An anser")
    bob.until_sent()
    bob.field.press("ArrowUp")
    bob.field.fill("An answer")
    bob.field.press("Enter")
    expect(alice.row("An answer")).to_contain_text("edited")
    bob.row("An answer").hover()
    bob.row("An answer").get_by_role("button", name="Delete").click()
    bob.room.locator("dialog").get_by_role("button", name="Delete").click()
    for talker in (alice, bob):
        gone = talker.room.locator("li.deleted")
        expect(gone).to_have_count(1)
        expect(gone).not_to_contain_text("edited")
        expect(gone.locator(".quoted")).to_have_count(0)


CONTRAST = """(row) => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgb = (color) => {
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data].map((part) => part / 255);
  };
  const light = (color) => rgb(color).slice(0, 3)
    .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
    .reduce((sum, part, index) => sum + part * [0.2126, 0.7152, 0.0722][index], 0);
  const bubble = row.querySelector(".bubble");
  const [back, text] = [getComputedStyle(bubble).backgroundColor, getComputedStyle(bubble).color].map(light);
  const faint = Number(getComputedStyle(bubble).opacity);
  return faint * (Math.max(back, text) + 0.05) / (Math.min(back, text) + 0.05);
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_waits_can_be_read(join: Callable[..., Talker], scheme: str) -> None:
    alice = join("alice", color_scheme=scheme)
    alice.open()
    alice.page.context.set_offline(True)
    alice.say("Waiting")
    waiting = alice.room.locator("li.pending")
    expect(waiting).to_have_count(1)
    assert waiting.evaluate(CONTRAST) >= 4.5


def test_a_fingers_actions_are_large_and_cover_no_word(join: Callable[..., Talker]) -> None:
    alice = join("alice", viewport={"width": 360, "height": 700}, has_touch=True, is_mobile=True)
    alice.open()
    row = alice.rows.filter(has=alice.page.locator(".body p")).first
    row.tap()
    boxes = row.evaluate(
        """(row) => [...row.querySelectorAll(".tools button")].map((one) => one.getBoundingClientRect().toJSON())"""
    )
    words = row.locator(".bubble").bounding_box()
    assert words
    assert len(boxes) >= 2
    for box in boxes:
        assert min(box["width"], box["height"]) >= 44
        assert 0 <= box["left"] <= box["right"] <= 360
        assert box["top"] >= words["y"] + words["height"], "below the words"


def test_the_actions_of_a_short_message_leave_its_time_in_sight(join: Callable[..., Talker]) -> None:
    alice = join("alice")
    alice.open()
    alice.say("Hi")
    alice.until_sent()
    row = alice.row("Hi")
    row.locator(".bubble").hover()
    tools, time = row.locator(".tools"), row.locator("time")
    expect(tools).to_have_css("opacity", "1")
    above, below = tools.bounding_box(), time.bounding_box()
    assert above
    assert below
    assert above["y"] + above["height"] <= below["y"]


def test_words_stay_words_and_links_are_safe(join: Callable[..., Talker]) -> None:
    alice, bob = join("alice"), join("bob")
    alice.open()
    bob.open()
    hostile = '<img src=x onerror="document.title=1"> javascript:alert(1) https://example.org/a_(b), http://'
    bob.say(hostile)
    row = alice.room.locator("li.row").last
    expect(row.locator(".body")).to_have_text(hostile)
    link = row.locator(".body a")
    expect(link).to_have_count(1)
    expect(link).to_have_attribute("href", "https://example.org/a_(b)")
    expect(link).to_have_attribute("rel", "noopener noreferrer nofollow ugc")
    assert alice.page.title() != "1"


def test_older_messages_come_without_a_jump_and_the_divider_stays(demo: Demo, join: Callable[..., Talker]) -> None:
    in_shell(
        demo,
        "for number in range(1, 181):",
        "    post_message(direct, f'Line {number}', by=alice if number < 170 and number % 3 else bob)",
        "mark_room_read(direct, by=alice, up_to=170)",
    )
    alice, bob = join("alice"), join("bob")
    alice.open()
    bob.open()
    divider = alice.room.locator(".fresh:not(:empty)")
    expect(divider).to_have_count(1)
    below = divider.locator("xpath=..").locator(".body").text_content()
    bob.say("Something new")
    expect(alice.row("Something new")).to_be_attached()
    assert divider.locator("xpath=..").locator(".body").text_content() == below

    moved = alice.room.evaluate("""async (room) => {
        const scroll = room.shadowRoot.querySelector(".scroll");
        const rows = () => [...scroll.querySelectorAll("li.row")];
        const frame = () => new Promise(requestAnimationFrame);
        const jumps = [];
        for (let page = 0; page < 3; page++) {
            const before = rows().length;
            scroll.scrollTop = 150;
            await frame();
            const seen = rows().find((row) => row.getBoundingClientRect().top >= scroll.getBoundingClientRect().top);
            const at = seen.getBoundingClientRect().top;
            while (rows().length === before) await frame();
            jumps.push(Math.abs(seen.getBoundingClientRect().top - at));
        }
        return jumps;
    }""")
    assert max(moved) <= 1
    expect(alice.room.locator(".latest")).to_be_visible()
    bob.say("And one more")
    expect(alice.room.locator(".latest")).to_contain_text("new")
    alice.room.locator(".latest").click()
    expect(alice.row("And one more")).to_be_in_viewport()
    expect(alice.room.locator(".latest")).to_be_hidden()


def test_a_keyboard_is_enough(join: Callable[..., Talker]) -> None:
    alice = join("alice")
    page = alice.page
    alice.listed(DIRECT["alice"]).get_by_role("link").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    expect(alice.field).to_be_focused()
    page.keyboard.type("By hand")
    page.keyboard.press("Enter")
    expect(alice.row("By hand").locator(".status")).to_have_text("Sent")
    page.keyboard.press("Shift+Tab")
    expect(alice.row("By hand")).to_be_focused()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("End")
    expect(alice.row("By hand")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(alice.room.locator(".picker button").first).to_be_focused()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(alice.row("By hand").get_by_role("button", name="❤️, 1")).to_be_visible()
    expect(alice.row("By hand")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(alice.field).to_be_focused()
    expect(alice.room.locator(".context")).to_contain_text("Reply to Alice Amari")
    page.keyboard.press("Escape")
    expect(alice.room.locator(".context")).to_be_empty()


def test_a_narrow_page_shows_one_thing_at_a_time(join: Callable[..., Talker]) -> None:
    alice = join("alice", viewport={"width": 380, "height": 700}, has_touch=True)
    expect(alice.room).to_be_hidden()
    alice.open()
    expect(alice.page.locator("chat-list")).to_be_hidden()
    assert alice.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    alice.page.get_by_role("link", name="Back to the conversations").click()
    expect(alice.page.locator("chat-list")).to_be_visible()
    alice.page.go_back()
    expect(alice.room).to_be_visible()


def test_what_was_refused_for_good_is_sent_again_or_deleted_all_at_once(
    demo: Demo, join: Callable[..., Talker], fault_proxy: Callable[[int], FaultProxy]
) -> None:
    proxy = fault_proxy(demo.server.port)
    alice, bob = join("alice"), join("bob", through=proxy)
    alice.open(GROUP)
    bob.open(GROUP)
    before = len(alice.seen())
    bar = bob.room.locator(".unsent")
    proxy.black_hole()
    bob.say("I can come", "and bring cake")
    in_shell(demo, "remove_member(group, bob)")
    proxy.heal()
    expect(bar).to_contain_text("2 messages were not sent", timeout=PATIENCE)
    in_shell(demo, "add_member(group, bob)")
    bob.page.reload()
    expect(bob.room).to_have_attribute("state", "live", timeout=PATIENCE)
    bar.get_by_role("button", name="Retry all").click()
    expect(bar).to_be_empty()
    expect(alice.row("and bring cake")).to_be_visible()
    assert [text for text in alice.seen()[before:] if "can" in text or "cake" in text] == [
        "I can come",
        "and bring cake",
    ]

    bob.page.evaluate(
        "room => { for (const word of 'ab') room.room.send(word.repeat(10_000)); }", bob.room.element_handle()
    )
    expect(bar).to_contain_text("2 messages were not sent")
    count = len(alice.seen())
    bar.get_by_role("button", name="Delete all").click()
    expect(bar).to_be_empty()
    expect(bob.room.locator("li.pending, li.failed")).to_have_count(0)
    bob.say("Until Sunday")
    expect(alice.row("Until Sunday")).to_be_visible()
    assert len(alice.seen()) == count + 1
