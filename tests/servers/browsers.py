"""Firefox, WebKit and Chromium as Debian ships them, each with the WebDriver server that belongs to it.

``python -m tests.servers.browsers`` prints the Debian packages that are missing, for scripts/webdriver.sh.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.common.options import ArgOptions
from selenium.webdriver.remote.client_config import ClientConfig
from selenium.webdriver.remote.remote_connection import RemoteConnection
from selenium.webdriver.remote.webdriver import WebDriver

from . import chromium as chromium_browser
from .marionette import Marionette
from .process import ServerProcess, free_port

PACKAGES = {  # by program
    "firefox-esr": "firefox-esr",
    "WebKitWebDriver": "webkit2gtk-driver",
    "Xvfb": "xvfb",
    "chromedriver": "chromium-driver",
}


def missing() -> list[str]:
    """Return the names of the Debian packages whose programs are not on the PATH."""
    return [package for program, package in PACKAGES.items() if not shutil.which(program)]


@contextmanager
def firefox(folder: Path) -> Iterator[WebDriver]:
    """Run Firefox with a profile of its own."""
    port = free_port()
    (folder / "user.js").write_text(f'user_pref("marionette.port", {port});\n')
    words = ["firefox-esr", "--headless", "--no-remote", "--marionette", "--profile", str(folder)]
    with (
        _running(ServerProcess(words, port=port, log=folder / "firefox.log")),
        webdriver.Remote(Marionette(port), options=webdriver.FirefoxOptions()) as driver,
    ):
        yield driver


@contextmanager
def webkit(folder: Path) -> Iterator[WebDriver]:
    """Run WebKitGTK's small browser, on a screen of its own."""
    port = free_port()
    with _screen(folder) as display:
        words = ["WebKitWebDriver", f"--port={port}"]
        environment = {"DISPLAY": display}
        with (
            _running(ServerProcess(words, port=port, log=folder / "webkit.log", env=environment)),
            _remote(port, webdriver.WebKitGTKOptions()) as driver,
        ):
            yield driver


@contextmanager
def chromium(folder: Path) -> Iterator[WebDriver]:
    """Run Chromium with its back/forward cache, which Playwright switches off."""
    port = free_port()
    options = webdriver.ChromeOptions()
    options.binary_location = chromium_browser.find()
    for argument in ("--headless=new", *chromium_browser.ARGUMENTS):
        options.add_argument(argument)
    with (
        _running(ServerProcess(["chromedriver", f"--port={port}"], port=port, log=folder / "chromium.log")),
        _remote(port, options) as driver,
    ):
        yield driver


RUN: dict[str, Callable[[Path], AbstractContextManager[WebDriver]]] = {
    "firefox": firefox,
    "webkit": webkit,
    "chromium": chromium,
}


def _remote(port: int, options: ArgOptions) -> WebDriver:
    return webdriver.Remote(RemoteConnection(client_config=ClientConfig(f"http://127.0.0.1:{port}")), options=options)


@contextmanager
def _running(server: ServerProcess) -> Iterator[None]:
    server.start()
    try:
        yield
    finally:
        server.stop()


@contextmanager
def _screen(folder: Path) -> Iterator[str]:
    log = folder / "screen.log"

    def numbers() -> list[str]:  # the X server prints the number of its display when it is ready, among complaints
        return [line for line in log.read_text().splitlines() if line.isdigit()]

    words = ["Xvfb", "-displayfd", "1", "-nolisten", "tcp"]
    with _running(ServerProcess(words, port=0, log=log, ready=lambda: bool(numbers()))):
        yield f":{numbers()[0]}"


if __name__ == "__main__":
    print(*missing())  # noqa: T201
