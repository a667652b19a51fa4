"""A newcomer does what README and tutorials say, in terminals, an editor and a browser, and nothing else."""

from __future__ import annotations

import os
import re
import shutil
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

pytestmark = [pytest.mark.browser, pytest.mark.packaging, pytest.mark.thorough]

PAGES = {
    "README": walkthrough.section(ROOT / "README.md", "Install it in your project"),
    "tutorial": walkthrough.section(ROOT / "docs" / "tutorial" / "first-bell.md", ""),
}
ORDER = walkthrough.section(ROOT / "docs" / "tutorial" / "live-order.md", "")
BESIDE = walkthrough.section(ROOT / "docs" / "tutorial" / "beside-wsgi.md", "")
PATH = f"{os.environ['PATH']}:/usr/sbin"  # where Debian has nginx
PORTS = {8000: "gunicorn", 8001: "carillon_serve", 8080: "nginx"}
PASSWORD = "four words to remember"
PORT = 8000  # Django's own
RECONNECT = 40_000  # ms; the longest backoff is 30 s
SENT = re.compile(r'^notify\(\w+, "([^"]+)"')
MOVED = re.compile(r'^move_on\(1, "([^"]+)"\)')
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
        self.moved: list[str] = []

    def close(self) -> None:
        """Close all windows."""
        self.page.context.close()
        for terminal in self.terminals:
            terminal.close()

    def take(self, step: Step) -> None:
        """Do what the page says."""
        match step:
            case Commands(lines):
                terminal = self.at("shell")
                for line in lines:
                    terminal.type([self.on_a_free_port(line)])
            case Code(lines):
                self.at("python").type(lines)
                self.sent += [title[1] for line in lines if (title := SENT.match(line))]
                self.moved += [state[1] for line in lines if (state := MOVED.match(line))]
            case File(name, text):
                self.edit(name, text)
            case SignIn(url, name):
                self.sign_in(url, name)
            case StopServer():
                self.at("server").interrupt()

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
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a") as file:
            file.write(f"\n{text}")

    def sign_in(self, url: str, name: str) -> None:
        """Open a page, and sign in where it leads."""
        self.page.goto(url.replace(f":{PORT}/", f":{self.port}/"))
        self.page.get_by_label("Username").fill(name)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_role("button", name="Log in").click()
        self.page.wait_for_url(url.replace(f":{PORT}/", f":{self.port}/"))

    def serves(self, command: str) -> Terminal | None:
        """Return the terminal in which a command serves."""
        return next((one for one in self.terminals if one.prompt == "server" and command in one.line), None)

    def stops(self, command: str) -> None:
        """Press Ctrl+C where a command serves."""
        terminal = self.serves(command)
        assert terminal is not None, f"The page has not led to {command}."
        terminal.interrupt()

    @property
    def serving(self) -> bool:
        """Whether a server runs in one of the terminals."""
        return any(terminal.prompt == "server" for terminal in self.terminals)

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
        with self.page.expect_response("**/seen/"):  # what comes next may be that the server stops
            self.bell.get_by_role("button").first.click()
        expect(self.bell.locator("li .title")).to_have_text(self.sent[::-1])
        self.page.keyboard.press("Escape")
        expect(self.bell).to_have_attribute("count", "0")

    def sees_the_order(self, state: str) -> None:
        """See on the page that stays open how the order is."""
        expect(self.page.locator("live-part")).to_have_text(f"Your order is {state}.", timeout=RECONNECT)

    def leaves_a_clean_project(self) -> None:
        """Let Django look at what was made."""
        self.at("server").interrupt()
        self.at("shell").type(["python manage.py check --fail-level WARNING"])
        self.at("shell").type(["python manage.py makemigrations --check --dry-run"])


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
        match step:
            case SignIn():
                newcomer.looks_into_the_bell("Live")
            case StopServer():
                newcomer.looks_into_the_bell("Reconnecting")
        if newcomer.serving and len(newcomer.sent) > shown:
            newcomer.sees_all_that_was_sent(len(newcomer.sent) - shown)
            shown = len(newcomer.sent)
    assert shown
    newcomer.leaves_a_clean_project()


def test_who_does_what_the_second_tutorial_says_sees_an_order_move_on(newcomer: Newcomer) -> None:
    assert TAKEN.search(ORDER), "the page says what to do if somebody has the port"
    shown = "nothing"
    for step in walkthrough.steps(ORDER):
        newcomer.take(step)
        match step:
            case SignIn():
                shown = "new"
                newcomer.page.evaluate("window.opened = true")
                newcomer.sees_the_order(shown)
            case StopServer():
                newcomer.sees_the_order(shown)
        if newcomer.serving and newcomer.moved[-1:] not in ([], [shown]):
            shown = newcomer.moved[-1]
            newcomer.sees_the_order(shown)
    assert newcomer.moved == ["packed", "shipped"]
    assert newcomer.page.evaluate("window.opened"), "it is the page that was opened, not a new one"
    newcomer.leaves_a_clean_project()


@pytest.mark.skipif(not shutil.which("nginx", path=PATH), reason="nginx is not installed")
def test_who_does_what_the_tutorial_for_wsgi_sites_says_hears_the_bell_ring_beside_gunicorn(newcomer: Newcomer) -> None:
    page, ports = BESIDE, {}
    for port, command in PORTS.items():
        ports[command] = free_port()
        page = re.sub(rf"\b{port}\b", str(ports[command]), page)
    (Path(newcomer.environment["PATH"].partition(":")[0]) / "nginx").symlink_to(str(shutil.which("nginx", path=PATH)))
    shown = 0
    for step in walkthrough.steps(page):
        match step:
            case Commands([line]) if line.startswith("nginx"):
                newcomer.at("shell").serve(line, ports["nginx"])
            case StopServer():
                newcomer.stops("carillon_serve")
                newcomer.looks_into_the_bell("Reconnecting")
            case _:
                newcomer.take(step)
        if isinstance(step, SignIn):
            newcomer.looks_into_the_bell("Live")
        if len(newcomer.sent) > shown and newcomer.serves("carillon_serve"):
            newcomer.sees_all_that_was_sent(len(newcomer.sent) - shown)
            shown = len(newcomer.sent)
    assert shown == 3
    newcomer.stops("carillon_serve")
    newcomer.at("shell").type(["python manage.py check --fail-level WARNING"])
