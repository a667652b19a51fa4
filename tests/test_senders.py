"""The short form of the checker of senders: what `tests.senders` promises, on two databases."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from notifications.models import Delivery
from notifications.services import notify
from tests.factories import make_user
from tests.senders_site.receiver import Receiver, manner
from tests.servers.asgi import ROOT
from tests.servers.process import ServerProcess, wait_until
from tests.streaming import cookies, get

pytestmark = pytest.mark.servers

DELIVERIES = 120


@pytest.mark.thorough
@pytest.mark.parametrize("words", [[], ["--postgresql"]], ids=["SQLite", "PostgreSQL"])
def test_every_delivery_is_made_once_or_says_why_not(words: list[str]) -> None:
    command = [sys.executable, "-m", "tests.senders", "short", str(DELIVERIES), *words]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)
    report = json.loads(done.stdout)
    assert report["faults"] == []
    # The game was worth playing.
    assert report["kills"] >= 2
    assert report["rolled back"] >= 1
    assert {"fail", "hang", "patience", "die", "gone"} <= report["answers"].keys()
    assert report["states"].keys() == {"sent", "failed", "skipped bounced", "skipped no-address"}


@pytest.mark.django_db(transaction=True)
def test_a_server_sends_too_once_it_is_visited_and_stops_when_it_is_told(
    asgi_server: Callable[..., ServerProcess], settings: Any
) -> None:
    receiver = Receiver()
    receiver.start()
    try:
        options = {"BACKEND": "tests.senders_site.channels.Http", "DEFAULT": "on", "OPTIONS": {"port": receiver.port}}
        settings.NOTIFICATIONS_CHANNELS = {"letters": options}
        alice = make_user()
        server = asgi_server(settings="tests.senders_site.settings", env={"RECEIVER": str(receiver.port)})
        assert get(server.url, "/notifications/api/counts/", cookies(alice))[0] == 200  # nobody opens a stream
        notify(alice, TAKEN_AT_ONCE)
        wait_until(lambda: ("letters", "alice", TAKEN_AT_ONCE) in receiver.taken, "The server sent nothing.")
        wait_until(lambda: Delivery.objects.get().state == "sent", "The server did not note that it has sent.")
        server.stop()
    finally:
        receiver.stop()


TAKEN_AT_ONCE = next(title for title in map(str, range(100)) if manner("letters", "alice", title, 0) == "take")
