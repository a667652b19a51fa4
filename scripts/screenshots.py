"""Take the pictures of the documentation anew, from the demo: `make screenshots`, or with the names of some of them.

Look at each before it is committed. A picture is taken on a demo of its own, so that none depends on another.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from tests.browser.conftest import Demo, Visitor, manage, new_page
from tests.servers import chromium

IMAGES = Path(__file__).resolve().parent.parent / "docs" / "images"
DESKTOP = {"viewport": {"width": 1040, "height": 700}}
CHAT = {"viewport": {"width": 1200, "height": 800}}
SHARP = {"viewport": {"width": 1000, "height": 640}, "device_scale_factor": 2}
PHONE = {"viewport": {"width": 360, "height": 720}, "device_scale_factor": 2, "has_touch": True, "is_mobile": True}
FONTS = {"Noto Sans", "Noto Sans Arabic", "Noto Color Emoji"}  # so that pictures look the same wherever they are taken
CROWD = """
from django.contrib.auth.models import Group, User
Group.objects.bulk_create([Group(name="Editors"), Group(name="Ringers")])
User.objects.bulk_create(User(username=f"ringer-{number}") for number in range(2500))
"""

Picture = Callable[["Studio"], None]
pictures: dict[str, Picture] = {}


class Studio:
    """A demo site for one picture, and the browser that takes it."""

    def __init__(self, name: str, folder: Path, seeded: Path, browser: Browser) -> None:
        self.name = name
        self.demo = Demo(folder, seeded)
        self.demo.server.start()
        self.browser = browser
        self.pages: list[Page] = []

    def close(self) -> None:
        """Close the pages and end the site."""
        for page in self.pages:
            page.context.close()
        self.demo.server.kill()

    def visit(self, name: str, path: str = "/", **options: Any) -> Page:
        """Sign somebody in, and return their page when it is live."""
        page = new_page(self.browser, self.demo.server.url, **{"reduced_motion": "reduce", **options})
        self.pages.append(page)
        page.goto("/")
        page.get_by_role("button", name=f"Sign in as {name.capitalize()}").click()
        Visitor(page).until_live()
        if path != "/":
            page.goto(path)
            Visitor(page).until_live()
        return page

    def administer(self, path: str, **options: Any) -> Page:
        """Sign the administrator in."""
        page = new_page(self.browser, self.demo.server.url, **{"reduced_motion": "reduce", **options})
        self.pages.append(page)
        page.goto(f"/admin/login/?next={path}")
        page.get_by_label("Username").fill("admin")
        page.get_by_label("Password").fill("admin")
        page.get_by_role("button", name="Log in").click()
        return page

    def shoot(self, page: Page, **options: Any) -> None:
        """Save what the page shows, when its fonts have been loaded."""
        page.evaluate("() => document.fonts.ready")
        page.screenshot(path=IMAGES / f"{self.name}.png", animations="disabled", caret="hide", **options)


def picture(*names: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Register how pictures are taken; a name that ends in ``-dark`` is that of a dark page."""

    def register(take: Callable[..., None]) -> Callable[..., None]:
        for name in names:
            dark = {"color_scheme": "dark" if name.endswith("-dark") else "light"}
            pictures[name] = lambda studio, dark=dark: take(studio, **dark)
        return take

    return register


def titles(page: Page) -> Locator:
    """Return the titles in the bell's panel."""
    return page.locator("notification-bell li .title")


def open_bell(page: Page) -> None:
    """Open the bell, when it is there, and wait for its list."""
    page.locator("notification-bell").get_by_role("button").first.click()
    expect(titles(page).nth(3)).to_be_visible()


@picture("bell", "bell-dark")
def _bell(studio: Studio, **options: Any) -> None:
    page = studio.visit("bob", **SHARP, **options)
    studio.demo.notify("bob", "Tea is ready")
    expect(page.locator("notification-toasts .title")).to_be_visible()
    open_bell(page)
    expect(titles(page).first).to_have_text("Tea is ready")
    expect(page.locator("notification-toasts .title")).to_have_count(0)
    studio.shoot(page)


@picture("narrow")
def _narrow(studio: Studio, **options: Any) -> None:
    page = studio.visit("alice", **PHONE, **options)
    open_bell(page)
    studio.shoot(page)


@picture("right-to-left")
def _right_to_left(studio: Studio, **options: Any) -> None:
    page = studio.visit("alice", **DESKTOP, **options)
    page.get_by_role("button", name="العربيّة").click()
    expect(page.locator("html")).to_have_attribute("dir", "rtl")
    Visitor(page).until_live()
    open_bell(page)
    studio.shoot(page)


@picture("inbox")
def _inbox(studio: Studio, **options: Any) -> None:
    page = studio.visit("alice", **DESKTOP, **options)
    for button in ("Send off an order", "Bob comments 50 times", "Invite me"):
        with page.expect_response("**/send/kind/"):
            page.get_by_role("button", name=button).click()
    page.goto("/notifications/")
    Visitor(page).until_live()
    expect(page.locator("notification-list li .title").nth(5)).to_be_visible()
    expect(page.locator("notification-list .tally")).to_contain_text("50")
    studio.shoot(page)


@picture("toasts")
def _toasts(studio: Studio, **options: Any) -> None:
    page = studio.visit("alice", **DESKTOP, **options)
    for level in ("Information", "Warning"):
        page.get_by_role("button", name=level).first.click()
    expect(page.locator("notification-toasts .title")).to_have_count(2)
    page.mouse.move(0, 0)
    studio.shoot(page)


@picture("reconnecting")
def _reconnecting(studio: Studio, **options: Any) -> None:
    page = studio.visit("alice", **{**DESKTOP, "viewport": {"width": 1040, "height": 400}}, **options)
    page.evaluate("() => { Math.random = () => 0.9; }")  # a wait that can be counted down
    studio.demo.server.kill()
    banner = page.locator("connection-status[variant=banner]")
    expect(banner).to_contain_text(re.compile(r"Reconnecting in \d+"), timeout=40_000)
    studio.shoot(page)


@picture("admin", "admin-dark")
def _admin(studio: Studio, **options: Any) -> None:
    studio.demo.notify(
        "admin", "The tower clock is slow", "The rope of bell 5 is worn", "A visitor has signed the book"
    )
    size = {"viewport": {"width": 1040, "height": 560}}
    page = studio.administer("/admin/", **size, **options)
    page.locator("notification-bell").get_by_role("button").first.click()
    expect(titles(page).nth(2)).to_be_visible()
    studio.shoot(page)


@picture("broadcast")
def _broadcast(studio: Studio, **options: Any) -> None:
    manage(studio.demo.database, "shell", "-v", "0", "-c", CROWD)
    size = {"viewport": {"width": 1280, "height": 1300}}
    page = studio.administer("/admin/carillon/broadcast/add/", **size, **options)
    page.get_by_role("textbox", name="Title").fill("The bells are silent on Sunday")
    page.get_by_role("textbox", name="Body").fill(
        "The frame is being painted. Practice moves to Tuesday at 19:30; visitors are welcome."
    )
    page.get_by_label("Link").fill("/")
    page.get_by_label("Category").fill("tower")
    page.get_by_role("group", name="Level").get_by_label("Warning").check()
    page.get_by_role("group", name="Audiences").first.get_by_label("Everyone").check()
    expect(page.locator("[data-count]")).to_have_text("Reaches 2,503 people.")
    expect(page.locator(".carillon-preview[theme=dark] .title").last).to_have_text("The bells are silent on Sunday")
    page.mouse.click(2, 2)
    box = page.locator("#content").bounding_box()
    reached = page.locator("[data-count]").bounding_box()
    assert box is not None
    assert reached is not None
    height = reached["y"] + reached["height"] + 24 - box["y"]
    studio.shoot(page, clip={**box, "height": height})


def talk(studio: Studio, name: str, room: str, path: str = "/chat/", **options: Any) -> Page:
    """Open a conversation, when its messages are there."""
    page = studio.visit(name, path, **options)
    page.locator("chat-list").get_by_role("link", name=room).click()
    expect(page.locator("chat-room .bubble").nth(2)).to_be_visible()
    expect(page.locator("chat-list li.current.unread")).to_have_count(0)  # it is read, now that it is shown
    return page


def say(page: Page, text: str) -> None:
    """Write a message."""
    field = page.locator("chat-room textarea")
    field.fill(text)
    field.press("Enter")


@picture("chat", "chat-dark")
def _chat(studio: Studio, **options: Any) -> None:
    studio.visit("bob", "/chat/")
    page = talk(studio, "alice", "Sunday ringers", **CHAT, **options)
    expect(page.locator("chat-room")).to_contain_text("2 online")
    studio.shoot(page)


@picture("chat-narrow")
def _chat_narrow(studio: Studio, **options: Any) -> None:
    studio.visit("bob", "/chat/")
    page = talk(studio, "alice", "Sunday ringers", **{**PHONE, "viewport": {"width": 390, "height": 780}}, **options)
    expect(page.locator("chat-room")).to_contain_text("2 online")
    studio.shoot(page)


@picture("chat-right-to-left")
def _chat_right_to_left(studio: Studio, **options: Any) -> None:
    bob = talk(studio, "bob", "Alice Amari")
    say(bob, "مرحبا! كيف حالك؟")
    page = studio.visit("alice", **CHAT, **options)
    page.get_by_role("button", name="العربيّة").click()
    expect(page.locator("html")).to_have_attribute("dir", "rtl")
    page.goto("/chat/")
    Visitor(page).until_live()
    page.locator("chat-list").get_by_role("link", name="Bob Baker").click()
    expect(page.locator("chat-room")).to_contain_text("مرحبا")
    say(page, "بخير، شكرا!")
    expect(bob.locator("chat-room")).to_contain_text("بخير")
    expect(page.locator("chat-list li.current.unread")).to_have_count(0)
    expect(page.locator("chat-room")).to_contain_text("قُرئت")  # "Read"
    studio.shoot(page)


@picture("chat-offline")
def _chat_offline(studio: Studio, **options: Any) -> None:
    page = talk(studio, "alice", "Sunday ringers", **CHAT, **options)
    studio.demo.server.kill()
    expect(page.locator("chat-room")).to_contain_text("Reconnecting", timeout=40_000)
    say(page, "Yes, with pleasure.")
    say(page, "Is anybody there?")
    expect(page.locator("chat-room")).to_contain_text("Is anybody there?")
    studio.shoot(page)


def missing_fonts() -> set[str]:
    """Return those of `FONTS` that this machine lacks."""
    listed = subprocess.run(["fc-list", ":", "family"], capture_output=True, text=True, check=True).stdout
    return FONTS - {name for line in listed.splitlines() for name in line.split(",")}


def main(names: list[str]) -> None:
    """Take the pictures with these names, or all."""
    if missing := missing_fonts():
        sys.exit(f"There is no {', '.join(sorted(missing))}: install fonts-noto-core and fonts-noto-color-emoji.")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        seeded = Path(folder) / "seeded.sqlite3"
        manage(seeded, "migrate", "-v", "0")
        manage(seeded, "demo")
        browser = playwright.chromium.launch(executable_path=chromium.find(chromium.SHELL), args=chromium.ARGUMENTS)
        for name in names or pictures:
            place = Path(folder) / name
            place.mkdir()
            studio = Studio(name, place, seeded, browser)
            try:
                pictures[name](studio)
                print(f"docs/images/{name}.png")
            finally:
                studio.close()


if __name__ == "__main__":
    main(sys.argv[1:])
