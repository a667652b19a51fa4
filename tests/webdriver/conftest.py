"""Alice at the demo site, with browsers that Playwright cannot drive as they are shipped."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from django.contrib.auth.models import User
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webdriver import WebDriver
from selenium.webdriver.support.wait import WebDriverWait

from tests.servers import asgi, browsers
from tests.servers.process import ServerProcess

PATIENCE = 40  # seconds; the longest backoff is 30
LOOK = 0.05  # seconds between two looks

# Remember all that the client and the page tell from now on.
LISTEN = """
    const { client } = document.querySelector("notification-bell");
    const status = document.querySelector("connection-status[variant=dot]");
    window.told = { titles: [], states: [], restored: 0 };
    client.on("notification", ({ items }) => told.titles.push(...items.map(({ title }) => title)));
    const look = () => told.states.push(status.getAttribute("state"));
    new MutationObserver(look).observe(status, { attributeFilter: ["state"] });
    addEventListener("pageshow", ({ persisted }) => (told.restored += persisted));
"""
IS_LIVE = "return document.querySelector('connection-status[variant=dot]')?.getAttribute('tone') === 'good'"
LISTED = """
    const { shadowRoot } = document.querySelector("notification-bell");
    return Array.from(shadowRoot.querySelectorAll("li .title"), (title) => title.textContent);
"""


def wait(condition: Callable[[], object], message: str) -> None:
    """Look until something is true."""
    WebDriverWait(condition, PATIENCE, LOOK).until(lambda _: condition(), message)  # type: ignore[type-var]


class Site:
    """The demo site in a process of its own, which counts its streams."""

    def __init__(self, server: ServerProcess) -> None:
        self.server = server
        self.home = f"{server.url}/"
        self.elsewhere = f"{server.url}/streams/"  # a page without a bell

    def streams(self) -> dict[str, int]:
        """Return how many streams are open, and how many ever were."""
        counts: dict[str, int] = httpx.get(self.elsewhere).json()
        return counts

    def until_open(self, count: int) -> None:
        """Wait until the server holds so many streams."""
        wait(lambda: self.streams()["open"] == count, f"{count} open streams")


class Tab:
    """A tab of a browser; `driver` is the browser's, with its attention on this tab."""

    def __init__(self, driver: WebDriver) -> None:
        driver.switch_to.new_window("tab")
        self._driver = driver
        self._handle = driver.current_window_handle

    @property
    def driver(self) -> WebDriver:
        self._driver.switch_to.window(self._handle)
        return self._driver

    def run(self, script: str) -> Any:
        """Run the body of a function in the page and return what it returns."""
        return self.driver.execute_script(script)

    def until(self, script: str) -> None:
        """Wait until a script returns something true."""
        wait(lambda: self.run(script), script)

    def until_live(self) -> None:
        """Wait until the page says that it is live, and listen to what happens from then on."""
        self.until(IS_LIVE)
        self.run(LISTEN)

    def until_told(self, title: str) -> list[str]:
        """Wait until a notification arrives, and return the titles of all that have since the page was live."""
        self.until(f"return told.titles.includes({title!r})")
        titles: list[str] = self.run("return told.titles")
        return titles

    def listed(self) -> list[str]:
        """Open the bell and return the titles in it, newest first."""
        self.run("document.querySelector('notification-bell').shadowRoot.querySelector('button').click()")
        self.until(LISTED)
        titles: list[str] = self.run(LISTED)
        return titles

    def close(self) -> None:
        """Close the tab."""
        self.driver.close()


@pytest.fixture(scope="session")
def driver(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebDriver]:
    """Run the browser that the test names."""
    with browsers.RUN[request.param](tmp_path_factory.mktemp(request.param)) as running:
        yield running


@pytest.fixture
def alice(transactional_db: None) -> User:
    return User.objects.create_user("alice")


@pytest.fixture
def site(asgi_server: Callable[..., ServerProcess], alice: User, database_url: str) -> Site:
    """Serve the demo site on the tests' own database, which gets the tables of the demo's own app too."""
    command = [sys.executable, "manage.py", "migrate", "project", "-v", "0"]
    subprocess.run(command, cwd=asgi.ROOT, env=os.environ | asgi.environment(database_url), check=True)
    return Site(asgi_server(application="tests.counting_asgi:application"))


@pytest.fixture
def open_tab(driver: WebDriver, site: Site) -> Iterator[Callable[[], Tab]]:
    """Return a function that opens the home page in a new tab, where Alice signs in if she has not yet."""
    first = driver.current_window_handle

    def open_tab() -> Tab:
        tab = Tab(driver)
        driver.get(site.home)
        for button in driver.find_elements(By.CSS_SELECTOR, "form[action='/sign-in/alice/'] button"):
            button.click()
        tab.until_live()
        return tab

    yield open_tab
    for handle in set(driver.window_handles) - {first}:
        driver.switch_to.window(handle)
        driver.close()
    driver.switch_to.window(first)


@pytest.fixture
def tab(open_tab: Callable[[], Tab]) -> Tab:
    """Return a tab in which Alice is signed in and live."""
    return open_tab()
