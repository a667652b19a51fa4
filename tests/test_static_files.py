"""Where the scripts are not served, the log says it: without them the page cannot."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from django.contrib.staticfiles.handlers import ASGIStaticFilesHandler
from django.core.asgi import get_asgi_application
from django.test import override_settings

from notifications.asgi import Handoff
from notifications.live import static_files

SCRIPT = "/static/notifications/notifications.js"


@pytest.fixture(autouse=True)
def nothing_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(static_files, "_said", False)


def fetch(path: str, *, served: bool = False) -> int:
    """Ask the site for a file, as it is or with Django's handler of static files; return the status."""
    site = get_asgi_application()
    application = Handoff(ASGIStaticFilesHandler(site) if served else site)

    told: list[Any] = []

    async def run() -> None:
        answered = asyncio.Event()

        async def receive() -> dict[str, Any]:
            if asked:
                return asked.pop()
            await answered.wait()
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            told.append(message)
            if message["type"] == "http.response.body" and not message.get("more_body"):
                answered.set()

        asked = [{"type": "http.request", "body": b""}]
        headers = [(b"host", b"testserver")]
        await application(
            {"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": headers}, receive, send
        )

    asyncio.run(run())
    return int(told[0]["status"])


def hints(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "notifications"]


def test_a_script_that_is_not_served_is_told_of_once(caplog: pytest.LogCaptureFixture) -> None:
    assert [fetch(SCRIPT), fetch("/static/notifications/bell.0a1b2c3d4e5f.js")] == [404, 404]
    (hint,) = hints(caplog)
    assert SCRIPT in hint
    assert "ASGIStaticFilesHandler" in hint


@pytest.mark.parametrize(
    "path",
    ["/static/shop/shop.js", "/static/notifications/no-such.css", "/notifications/x.js", "/x/notifications/x.js"],
)
def test_nothing_is_said_of_what_is_not_ours(path: str, caplog: pytest.LogCaptureFixture) -> None:
    assert fetch(path) == 404
    assert hints(caplog) == []


def test_nothing_is_said_where_scripts_are_served(caplog: pytest.LogCaptureFixture) -> None:
    assert fetch(SCRIPT, served=True) == 200
    assert hints(caplog) == []


def test_files_of_another_host_are_none_of_this_site(caplog: pytest.LogCaptureFixture) -> None:
    with override_settings(STATIC_URL="https://static.example/static/"):
        assert fetch(SCRIPT) == 404
    assert hints(caplog) == []
