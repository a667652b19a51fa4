"""A newcomer does what README and tutorial say, in terminals, an editor and a browser, and nothing else."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests import walkthrough
from tests.distributions import ROOT
from tests.servers.process import accepts, free_port
from tests.terminal import Terminal
from tests.walkthrough import Code, Commands, File, SignIn, Step, StopServer

pytestmark = [pytest.mark.browser, pytest.mark.packaging]

PAGES = {
    "README": walkthrough.section(ROOT / "README.md", "Install it in your project"),
    "tutorial": walkthrough.section(ROOT / "docs" / "tutorial" / "first-bell.md", ""),
}
PASSWORD = "four words to remember"
PORT = 8000  # Django's own
RECONNECT = 40_000  # ms; the longest backoff is 30 s
SENT = re.compile(r'^notify\(\w+, "([^"]+)"')
TAKEN = re.compile(r"If another program has\s+port 8000, run\s+`(python manage\.py runserver) 8001`")


class Newcomer:
    """Somebody who has a computer with Python, an empty folder, and a page to follow."""

    def __init__(self, folder: Path, environment: dict[str, str], browser: Browser) -> None:
        self.folder = folder
        self.environment = environment
        self.terminals: list[Terminal] = []
        self.page = browser.new_context().new_page()
        self.port = free_port() if accepts(PORT) else PORT
        self.sent: list[str] = []

    def close(self) -> None:
        """Close all windows."""
        self.page.context.close()
        for terminal in self.terminals:
            terminal.close()

    def take(self, step: Step) -> None:
        """Do what the page says, and look at what it promises."""
        match step:
            case Commands(lines):
                terminal = self.at("shell")
                for line in lines:
                    terminal.type([self.on_a_free_port(line)])
            case Code(lines):
                self.at("python").type(lines)
                self.sent += [title[1] for line in lines if (title := SENT.match(line))]
            case File(name, text):
                self.edit(name, text)
            case SignIn(url, name):
                self.sign_in(url, name)
                self.looks_into_the_bell("Live")
            case StopServer():
                self.at("server").interrupt()
                self.looks_into_the_bell("Reconnecting")

    def at(self, prompt: str) -> Terminal:
        """Return the terminal that waits for such a line; without a free shell, a reader opens another one."""
        for terminal in self.terminals:
            if terminal.prompt == prompt:
                return terminal
        assert prompt == "shell", f"The page has led to no {prompt}."
        self.terminals.append(Terminal(self.folder, self.environment, password=PASSWORD))
        return self.terminals[-1]

    def on_a_free_port(self, line: str) -> str:
        """Return a command, with another port where the page says to take another."""
        return f"{line} {self.port}" if line == "python manage.py runserver" and self.port != PORT else line

    def edit(self, name: str, text: str) -> None:
        """Add lines to a file of the folder that the terminal is in."""
        path = Path(self.at("shell").type(["pwd"]).strip()) / name
        path.parent.mkdir(exist_ok=True)
        with path.open("a") as file:
            file.write(f"\n{text}")

    def sign_in(self, url: str, name: str) -> None:
        """Open a page, and sign in where it leads."""
        self.page.goto(url.replace(f":{PORT}/", f":{self.port}/"))
        self.page.get_by_label("Username").fill(name)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_role("button", name="Log in").click()
        self.page.wait_for_url(url.replace(f":{PORT}/", f":{self.port}/"))

    @property
    def bell(self) -> Locator:
        return self.page.locator("notification-bell")

    def looks_into_the_bell(self, status: str) -> None:
        """Open the panel, see how the connection is, and close it."""
        self.bell.get_by_role("button").first.click()
        expect(self.bell.locator("connection-status.status")).to_contain_text(status, timeout=RECONNECT)
        self.page.keyboard.press("Escape")

    def sees_all_that_was_sent(self, unseen: int) -> None:
        """See the number on the bell, and in its panel each title once, newest first."""
        expect(self.bell).to_have_attribute("count", str(unseen), timeout=RECONNECT)
        self.bell.get_by_role("button").first.click()
        expect(self.bell.locator("li .title")).to_have_text(self.sent[::-1])
        self.page.keyboard.press("Escape")
        expect(self.bell).to_have_attribute("count", "0")


@pytest.fixture
def newcomer(tmp_path: Path, wheel: Path, browser: Browser) -> Iterator[Newcomer]:
    """Give somebody Python alone; pip finds this tree's wheel under the name that it will have on the index."""
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "python3").symlink_to(Path(sys.executable).resolve())
    constraint = tmp_path / "constraint.txt"
    constraint.write_text(f"django-carillon == {wheel.name.split('-')[1]}\n")
    hidden = ("DJANGO_", "PYTHON", "DATABASE_URL", "REDIS_URL", "VIRTUAL_ENV", "COVERAGE_")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(hidden)}
    links = f"{wheel.parent} {environment.get('PIP_FIND_LINKS', '')}".strip()
    environment |= {"PATH": f"{programs}:/usr/bin:/bin", "PIP_FIND_LINKS": links, "PIP_CONSTRAINT": str(constraint)}
    folder = tmp_path / "folder"
    folder.mkdir()
    somebody = Newcomer(folder, environment, browser)
    yield somebody
    somebody.close()


@pytest.mark.parametrize("page", PAGES)
def test_who_does_what_the_page_says_hears_the_bell_ring(page: str, newcomer: Newcomer) -> None:
    assert TAKEN.search(PAGES[page]), "the page says what to do if somebody has the port"
    shown = 0
    for step in walkthrough.steps(PAGES[page]):
        newcomer.take(step)
        serving = any(terminal.prompt == "server" for terminal in newcomer.terminals)
        if serving and len(newcomer.sent) > shown:
            newcomer.sees_all_that_was_sent(len(newcomer.sent) - shown)
            shown = len(newcomer.sent)
    assert shown
    newcomer.at("server").interrupt()
    newcomer.at("shell").type(["python manage.py check --fail-level WARNING"])
    newcomer.at("shell").type(["python manage.py makemigrations --check --dry-run"])
