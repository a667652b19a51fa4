"""An attacker goes on reading and writing while access ends, and gets nothing after the bound."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Callable
from typing import Any

import pytest
import websockets
from django.contrib.auth.models import User
from django.test import override_settings
from websockets.asyncio.client import connect

from notifications.consumers import SUBPROTOCOL
from notifications.services import create_room, post_message, remove_member
from tests import attackers
from tests.access_events import BEHIND, HINTED
from tests.servers.process import ServerProcess
from tests.servers.valkey import Valkey
from tests.streaming import cookies, get

Servers = Callable[..., ServerProcess]

HINT = 5.0  # seconds; a hint takes a tenth of one, and this machine may be busy
ROUND = 1.0  # seconds between rounds in these tests
FOUND = 2 * ROUND + HINT  # a connection that has just been looked at is found in the round after the next
STAYS = {"revoke"}  # whose session is valid, and may open a new page

HINTS = [event.__name__ for event in HINTED]
OTHERS = [event.__name__ for event in BEHIND]


def layer(valkey: Valkey) -> Any:
    config = {"hosts": [{"address": valkey.url, "socket_timeout": None}]}
    return override_settings(
        CHANNEL_LAYERS={"default": {"BACKEND": "channels_redis.core.RedisChannelLayer", "CONFIG": config}}
    )


def stopped(found: list[attackers.Attacker], bound: float) -> None:
    """Assert that each attacker was stopped in time, and is not let in again."""
    # A poll that begins after a revocation is as a page that is loaded afterwards.
    asked = [one for one in found if not (one.victim.event in STAYS and one.transport == attackers.POLL)]
    assert [row for row in attackers.table(asked) if row[3] is None or row[3] > bound] == []
    for attacker in found:
        victim = attacker.victim
        assert attacker.acked - victim.at <= bound
        status, _headers, _answer = get(attacker.server.url, "/notifications/api/counts/", victim.cookie)
        assert status == (200 if victim.event in STAYS else 401), victim.event


@pytest.mark.parametrize("kind", ["uvicorn", "daphne"])
def test_by_hints_alone_it_ends_in_both_processes_at_once(kind: str, asgi_server: Servers, valkey: Valkey) -> None:
    env = {"CASE": "events", "RECHECK": "3600"}
    options = {"settings": "tests.live_settings", "redis_url": valkey.url, "env": env}
    servers = [asgi_server(kind, **options) for _process in range(2)]
    with layer(valkey):
        stopped(attackers.run(servers, HINTS, 2 * HINT), HINT)


@pytest.mark.parametrize("kind", ["uvicorn", "daphne"])
def test_without_a_broker_and_without_a_hint_a_round_ends_it(kind: str, asgi_server: Servers) -> None:
    env = {"CASE": "events", "RECHECK": str(ROUND)}
    servers = [asgi_server(kind, settings="tests.live_settings", env=env) for _process in range(2)]
    stopped(attackers.run(servers, [*HINTS, *OTHERS], 2 * FOUND), FOUND)


@pytest.mark.parametrize("kind", ["uvicorn", "daphne"])
def test_who_asks_for_a_room_again_and_again_without_reading_hears_nothing_after_the_removal(
    kind: str, asgi_server: Servers, transactional_db: None
) -> None:
    server = asgi_server(kind, settings="tests.live_settings", env={"MAX_BYTES": "100000000"})
    alice, mallory = (User.objects.create_user(name) for name in ("alice", "mallory"))
    room = create_room("Project", by=alice, members=[mallory])
    for _message in range(8):
        post_message(room, "x" * 4_000, by=alice)
    asyncio.run(_pipeline(server, cookies(mallory), room, alice, mallory))


async def _pipeline(server: ServerProcess, cookie: str, room: Any, alice: Any, mallory: Any) -> None:
    narrow = socket.socket()
    narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    narrow.connect(("127.0.0.1", server.port))
    narrow.setblocking(False)
    wire = await connect(
        f"ws://127.0.0.1:{server.port}/notifications/ws/",
        sock=narrow,
        subprotocols=[websockets.Subprotocol(SUBPROTOCOL)],
        additional_headers={"Cookie": cookie, "Origin": server.url},
        max_queue=1,
        ping_interval=None,
        close_timeout=1,
    )
    for ref in range(190):
        await wire.send(json.dumps({"type": "room.open", "ref": ref, "room": room.pk}))
    await asyncio.to_thread(remove_member, room, mallory)
    for _message in range(3):
        await asyncio.to_thread(post_message, room, "secret", by=alice)
    answers: set[int] = set()
    while len(answers) < 190:
        text = str(await asyncio.wait_for(wire.recv(), 30))
        assert "secret" not in text
        answers |= {frame["ref"] for frame in map(json.loads, text.split("\n")) if frame["type"] in ("ack", "nack")}
    await asyncio.to_thread(post_message, room, "secret too", by=alice)
    await wire.send(json.dumps({"type": "ping", "ref": "last"}))
    text = ""
    while '"last"' not in text:
        text = str(await asyncio.wait_for(wire.recv(), 30))
        assert "secret" not in text
    await wire.close()
