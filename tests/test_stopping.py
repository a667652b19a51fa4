"""Stop and lease: work that is done in one process is ended from another, and its death is seen there."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest

from notifications.feeds.answers import ANSWER_SWEEP
from notifications.feeds.texts import WRITER_LEASE
from notifications.inbox.progress import PROGRESS_LEASE, PROGRESS_SWEEP, cancel_progress
from notifications.models import FeedText, Progress
from tests.factories import make_user
from tests.servers import asgi
from tests.servers.process import ServerProcess
from tests.streaming import EventStream, cookies
from tests.test_live_feeds import post

pytestmark = [pytest.mark.servers, pytest.mark.django_db(transaction=True)]

SETTINGS = "tests.delivery_site.settings"
WITHIN = 3.0  # seconds: it takes less than one, and the tests beside this one take the processor
SLOW = 5.0  # seconds more than the documented bound, for the same reason


class Worker:
    """A process that works for Alice; its environment names no server."""

    def __init__(self, kind: str, database_url: str, redis_url: str) -> None:
        environment = {**os.environ, **asgi.environment(database_url, redis_url, SETTINGS)}
        command = [sys.executable, "-m", "tests.delivery_site.working", kind, "alice"]
        self.process = subprocess.Popen(command, cwd=asgi.ROOT, env=environment, stdout=subprocess.PIPE, text=True)
        self.number = int(self.line())

    def line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline()

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_error: object) -> None:
        self.process.kill()
        self.process.communicate()


def ask(kind: str, number: int, server: ServerProcess, alice: Any) -> None:
    """Stop as a page does, in the server's process; cancelling needs the item's number, which only the page knows."""
    if kind == "progress":
        assert cancel_progress(alice, number)
    else:
        status, told = post(server.url, "/notifications/api/feeds/stop/", cookies(alice), {"id": number})
        assert (status, told) == (200, {"stopped": True})


@pytest.mark.parametrize("broker", [False, True], ids=["no broker", "a broker"])
@pytest.mark.parametrize("kind", ["answer", "silent answer", "progress"])
def test_work_in_another_process_is_stopped_at_once(
    kind: str,
    broker: bool,
    request: pytest.FixtureRequest,
    database_url: str,
    asgi_server: Callable[..., ServerProcess],
) -> None:
    alice = make_user("alice")
    redis_url = request.getfixturevalue("valkey").url if broker else ""
    server = asgi_server(settings=SETTINGS, redis_url=redis_url)
    with Worker(kind, database_url, redis_url) as worker:
        ask(kind, worker.number, server, alice)
        asked = time.time()
        took = float(worker.line()) - asked
        assert worker.process.wait(10) == 0
    print(f"{kind}: stopped after {took:.2f} s")  # noqa: T201
    assert took < WITHIN
    if kind == "progress":
        assert Progress.objects.get().state == Progress.State.CANCELLED
    else:
        assert FeedText.objects.get().state == FeedText.State.STOPPED


def test_the_death_of_workers_is_seen_within_their_lease_where_somebody_reads(
    database_url: str, asgi_server: Callable[..., ServerProcess]
) -> None:
    alice = make_user("alice")
    server = asgi_server(settings=SETTINGS)
    with Worker("answer", database_url, "") as writer, Worker("progress", database_url, "") as worker:
        for killed in (writer, worker):
            killed.process.kill()
            killed.process.wait()
    at = time.monotonic()
    seen: dict[str, float] = {}
    bound = max(WRITER_LEASE + ANSWER_SWEEP, PROGRESS_LEASE + PROGRESS_SWEEP) + SLOW
    with EventStream(server.url, cookies(alice), path="/notifications/stream/?feeds=all:1") as stream:
        while len(seen) < 2:
            frame = stream.next()
            failed = [event["data"]["state"] == "failed" for event in frame.get("events", [])]
            failed += [item["data"]["progress"]["state"] == "failed" for item in frame.get("items", [])]
            if any(failed):
                seen[frame["type"]] = time.monotonic() - at
            assert time.monotonic() - at < bound, seen
    print({kind: round(took, 1) for kind, took in seen.items()})  # noqa: T201
    assert FeedText.objects.get().state == FeedText.State.FAILED
    assert Progress.objects.get().state == Progress.State.FAILED
