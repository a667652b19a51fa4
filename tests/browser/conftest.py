"""The demo site, served as `make demo` serves it, and visitors with real browsers."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, Playwright, expect, sync_playwright

from tests.servers import asgi, chromium
from tests.servers.faults import FaultProxy

# The client waits a random share of up to 30 s before it connects again; in the tests always a tenth of that.
CHANCE = "Math.random = () => 0.1;"
RECOVERY = 40_000  # ms; the longest backoff is 30 s
expect.set_options(timeout=20_000)  # ms; a machine may be slow, and other tests run beside this one

SEND = "from django.contrib.auth.models import User; from notifications.services import notify; import sys"


def manage(database: Path, *arguments: str) -> None:
    """Run the demo's manage.py in a process of its own."""
    environment = {**os.environ, **asgi.environment(f"sqlite:///{database}")}
    subprocess.run([sys.executable, "manage.py", *arguments], cwd=asgi.ROOT, env=environment, check=True)


def new_page(browser: Browser, url: str, **options: Any) -> Page:
    """Return an empty page in a browser of its own, which is at home on the site `url`."""
    context = browser.new_context(base_url=url, **{"locale": "en-GB", **options})
    context.add_init_script(CHANCE)
    return context.new_page()


class Demo:
    """The demo site in a process of its own, with its database in a folder of its own."""

    def __init__(self, folder: Path, seeded: Path, **options: Any) -> None:
        self.database = folder / "db.sqlite3"
        shutil.copy(seeded, self.database)
        self.server = asgi.server("daphne", folder=folder, database_url=f"sqlite:///{self.database}", **options)

    def notify(self, username: str, *titles: str) -> None:
        """Send notifications, in this order, from a second process."""
        lines = [f"notify(User.objects.get(username={username!r}), {title!r})" for title in titles]
        manage(self.database, "shell", "--no-imports", "-v", "0", "-c", "\n".join([SEND, *lines]))


class Visitor:
    """A person at a page of the demo site."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.faults: list[str] = []
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("console", self._listen)

    def _listen(self, message: ConsoleMessage) -> None:
        # A lost connection is logged by the browser itself; a blocked script or style is a fault of ours.
        if "Content Security Policy" in message.text or "TrustedHTML" in message.text:
            self.faults.append(message.text)

    @property
    def bell(self) -> Locator:
        """Return the bell in the header."""
        return self.page.locator("notification-bell")

    @property
    def status(self) -> Locator:
        """Return the dot in the header that tells how the connection is."""
        return self.page.locator("header connection-status[variant=dot]").first

    @property
    def titles(self) -> Locator:
        """Return the titles in the bell's open panel, newest first."""
        return self.bell.locator("li .title")

    def row(self, title: str) -> Locator:
        """Return the row of a notification in the bell's open panel."""
        return self.bell.locator("li", has_text=title)

    def count(self) -> int:
        """Return the number on the bell."""
        return int(self.bell.get_attribute("count") or 0)

    def ring(self) -> None:
        """Press the bell."""
        self.bell.get_by_role("button").first.click()

    def until_live(self) -> None:
        """Wait until the page says that it is live."""
        expect(self.status).to_have_attribute("tone", "good", timeout=RECOVERY)
        expect(self.status).to_have_attribute("state", "live", timeout=10_000)


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    """Start the driver for the session; a process has one at most."""
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """Run Chromium for the session."""
    running = playwright.chromium.launch(executable_path=chromium.find(chromium.SHELL), args=chromium.ARGUMENTS)
    yield running
    running.close()


@pytest.fixture(scope="session")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make the demo's database once."""
    database = tmp_path_factory.mktemp("seeded") / "db.sqlite3"
    manage(database, "migrate", "-v", "0")
    manage(database, "demo")
    return database


@pytest.fixture
def demo(tmp_path: Path, seeded: Path) -> Iterator[Demo]:
    """Serve the demo site."""
    site = Demo(tmp_path, seeded)
    site.server.start()
    yield site
    site.server.kill()


@pytest.fixture
def visit(demo: Demo, browser: Browser) -> Iterator[Callable[..., Visitor]]:
    """Return a function that signs somebody in with a browser of their own; no page may have had a fault."""
    visitors: list[Visitor] = []

    def arrive(name: str, *, javascript: bool = True, through: FaultProxy | None = None) -> Visitor:
        page = new_page(browser, (through or demo.server).url, java_script_enabled=javascript)
        visitor = Visitor(page)
        visitors.append(visitor)
        page.goto("/")
        page.get_by_role("button", name=f"Sign in as {name.capitalize()}").click()
        expect(page.get_by_role("heading", level=1)).to_contain_text(name.capitalize())
        if javascript:
            visitor.until_live()
        return visitor

    yield arrive
    for visitor in visitors:
        visitor.page.context.close()
    assert [fault for visitor in visitors for fault in visitor.faults] == []


@pytest.fixture
def second_tab(demo: Demo) -> Callable[[Visitor], Visitor]:
    """Return a function that opens the home page in another tab of a visitor's browser."""

    def open_tab(visitor: Visitor) -> Visitor:
        other = Visitor(visitor.page.context.new_page())
        other.page.goto("/")
        other.until_live()
        return other

    return open_tab


@pytest.fixture
def proxy(demo: Demo) -> Iterator[FaultProxy]:
    """Stand between the visitors and the demo site."""
    fault_proxy = FaultProxy(demo.server.port)
    fault_proxy.start()
    yield fault_proxy
    fault_proxy.stop()


@pytest.fixture
def work(demo: Demo) -> Iterator[Callable[[str], None]]:
    """Return a function that runs lines of Python in a process of its own, where `alice` is a user."""
    running: list[subprocess.Popen[bytes]] = []

    def run(lines: str) -> None:
        environment = {**os.environ, **asgi.environment(f"sqlite:///{demo.database}")}
        setup = "import time\nfrom django.contrib.auth.models import User\nalice = User.objects.get(username='alice')\n"
        command = [sys.executable, "manage.py", "shell", "--no-imports", "-v", "0", "-c", setup + lines]
        running.append(subprocess.Popen(command, cwd=asgi.ROOT, env=environment))

    yield run
    for process in running:
        process.kill()
        process.wait()
