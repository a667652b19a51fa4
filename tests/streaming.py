"""A plain reader of event streams and of the API, for tests against real servers."""

from __future__ import annotations

import http.client
import json
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from django.test import Client

TIMEOUT = 15.0  # seconds after which a test that waits for an event has failed


def cookies(user: Any) -> str:
    """Sign `user` in and return the Cookie header of that session."""
    client = Client()
    client.force_login(user)
    return "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())


def connect(url: str) -> http.client.HTTPConnection:
    parts = urlsplit(url)
    return http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=TIMEOUT)


def get(url: str, path: str, cookie: str = "") -> tuple[int, dict[str, str], Any]:
    """Return status, headers (names in lower case) and the JSON of a GET."""
    connection = connect(url)
    try:
        connection.request("GET", path, headers={"Cookie": cookie})
        response = connection.getresponse()
        return response.status, {name.lower(): value for name, value in response.getheaders()}, json.load(response)
    finally:
        connection.close()


class EventStream:
    """An open event stream: `next()` returns one event after the other."""

    def __init__(
        self, url: str, cookie: str = "", last_event_id: str = "", path: str = "/notifications/stream/", **headers: str
    ) -> None:
        self.connection = connect(url)
        sent = {"Accept": "text/event-stream", "Cookie": cookie, **headers}
        if last_event_id:
            sent["Last-Event-ID"] = last_event_id
        self.connection.request("GET", path, headers=sent)
        self.response = self.connection.getresponse()
        self.last_event_id = last_event_id
        self.retry: int | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Leave."""
        self.response.close()
        self.connection.close()

    def next(self, *names: str) -> dict[str, Any]:
        """Return the data of the next event; with `names`, of the next event that has one of them.

        Raises:
            EOFError: The stream ended.
            TimeoutError: Nothing came for `TIMEOUT` seconds.
        """
        name, data = "", ""
        while line := self.response.readline():
            field, _, value = line.decode().rstrip("\n").partition(": ")
            if field == "event":
                name = value
            elif field == "data":
                data = value
            elif field == "id":
                self.last_event_id = value
            elif field == "retry":
                self.retry = int(value)
            elif not field and data:
                frame: dict[str, Any] = json.loads(data)
                assert frame["type"] == name
                if not names or name in names:
                    return frame
                name, data = "", ""
        raise EOFError

    def titles(self, count: int) -> list[str]:
        """Return the titles of the next `count` items that changed, in the order in which they came."""
        found: list[str] = []
        while len(found) < count:
            found += [item["title"] for item in self.next("changes")["items"]]
        return found
