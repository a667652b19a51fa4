"""The chat on real servers: three kinds of them, two processes, a broker, kills and bad clients."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from notifications import services
from tests.factories import make_user
from tests.servers.process import ServerProcess
from tests.servers.valkey import Valkey
from tests.wschat import Person, cookies

FAULTS: list[tuple[Any, str, int]] = [
    ("{", "bad-json", 4400),
    (b"\x00", "binary", 4415),
    ("x" * 70_000, "too-large", 4413),
]
Servers = Callable[..., ServerProcess]


@pytest.fixture
def people(transactional_db: None) -> tuple[Any, Any, Any]:
    """Return alice, bob and a room of theirs."""
    alice, bob = make_user("alice"), make_user("bob")
    return alice, bob, services.create_room("Project", by=alice, members=[bob])


@pytest.mark.parametrize("kind", ["uvicorn", "daphne", "granian"])
def test_two_people_chat_and_a_bad_client_is_told_why(kind: str, people: Any, asgi_server: Servers) -> None:
    alice, bob, room = people
    server = asgi_server(kind)
    one, other = cookies(alice), cookies(bob)

    async def story() -> None:
        async with Person(server.url, one) as a, Person(server.url, other) as b:
            for person in (a, b):
                assert (await person.open(room.pk))["type"] == "ack"
            for n in range(20):
                assert (await a.say(room.pk, f"ping {n}"))["number"] == 2 * n + 1
                await b.hears(f"ping {n}")
                assert (await b.say(room.pk, f"pong {n}"))["number"] == 2 * n + 2
                await a.hears(f"pong {n}")
            for sent, error, code in FAULTS:
                async with Person(server.url, one) as wild:
                    await wild.wire.send(sent)
                    assert (await wild.next("error"))["code"] == error
                    assert await wild.closed() == code
            async with Person(server.url, "") as nobody:
                assert (await nobody.next("error"))["code"] == "signed-out"
                assert await nobody.closed() == 4401
            await b.say(room.pk, "all well")
            await a.hears("all well")

    asyncio.run(story())
    assert "Traceback" not in server.output()


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://127.0.0.1", "https://127.0.0.1:{port}", None]
)
@pytest.mark.parametrize("kind", ["uvicorn", "daphne"])
def test_a_page_of_another_site_is_refused(people: Any, asgi_server: Servers, kind: str, origin: str | None) -> None:
    server = asgi_server(kind, env={"ALLOWED_HOSTS": "*"})
    headers = {"Cookie": cookies(people[0])}
    if origin:
        headers["Origin"] = origin.format(port=server.port)

    async def story() -> None:
        url = Person(server.url, "").url
        with pytest.raises(InvalidStatus) as refused:
            await connect(url, additional_headers=headers)
        assert refused.value.response.status_code == 403

    asyncio.run(story())


def test_two_processes_are_one_chat(people: Any, asgi_server: Servers, valkey: Valkey, settings: Any) -> None:
    """Messages, typing, removal, addition and sign-out in one process reach the sockets of another."""
    settings.CHANNEL_LAYERS = {
        "default": {"BACKEND": "channels_redis.core.RedisChannelLayer", "CONFIG": {"hosts": [valkey.url]}}
    }
    alice, bob, room = people
    carol = make_user("carol")
    left, right = asgi_server("uvicorn", redis_url=valkey.url), asgi_server("daphne", redis_url=valkey.url)
    browser = Client()
    browser.force_login(bob)
    bobs = "; ".join(f"{name}={morsel.value}" for name, morsel in browser.cookies.items())
    hers, carols = cookies(alice), cookies(carol)

    async def story() -> None:
        async with Person(left.url, hers) as a, Person(right.url, bobs) as b, Person(right.url, carols) as c:
            await a.open(room.pk)
            await b.open(room.pk)
            await a.say(room.pk, "from the left")
            await b.hears("from the left")
            await a.send("typing", room=room.pk)
            assert (await b.next("typing"))["user"]["name"] == "alice"
            await b.next("presence", lambda frame: sorted(frame["online"]) == sorted([alice.pk, bob.pk]))
            await services.aadd_member(room, carol, by=alice)  # here, in a process without a socket
            assert (await c.next("room"))["event"] == "added"
            await c.open(room.pk)
            await services.aremove_member(room, carol, by=alice)
            assert (await c.next("room"))["event"] == "removed"
            await a.say(room.pk, "without carol")
            await b.hears("without carol")
            assert (await c.send("ping"))["type"] == "ack"
            assert not [frame for frame in c.frames if frame["type"] == "message" and "without" in str(frame)]
            await asyncio.to_thread(browser.logout)
            assert (await b.next("bye"))["reason"] == "signed-out"
            assert await b.closed() == 4401

    asyncio.run(story())


def test_the_users_of_a_killed_process_are_gone_within_30_seconds(people: Any, asgi_server: Servers) -> None:
    """Without a broker: the other process finds it in the database alone."""
    alice, bob, room = people
    first, second = asgi_server("uvicorn"), asgi_server("uvicorn")
    hers, his = cookies(alice), cookies(bob)

    async def story() -> float:
        async with Person(first.url, hers) as a:
            await a.open(room.pk)
            async with Person(second.url, his), Person(second.url, his) as tab:
                await a.next("presence", lambda frame: bob.pk in frame["online"])
                await tab.wire.close()
                assert (await a.send("ping"))["type"] == "ack"
                a.frames.clear()  # among them may be the presence from before he came
                killed = time.monotonic()
                second.kill()
                await a.next("presence", lambda frame: bob.pk not in frame["online"])
                return time.monotonic() - killed

    assert asyncio.run(story()) < 30


@pytest.mark.parametrize("kind", ["uvicorn", "daphne"])
def test_a_client_that_asks_and_does_not_show_that_it_reads_costs_no_more_than_its_bytes(
    kind: str, people: Any, asgi_server: Servers
) -> None:
    alice, _bob, room = people
    for _ in range(10):
        services.post_message(room, "x" * 3_000, by=alice)
    limit = 500_000
    server = asgi_server(kind, settings="tests.live_settings", env={"MAX_BYTES": str(limit)})
    cookie = cookies(alice)

    async def story() -> None:
        async with Person(server.url, cookie) as silent:
            for ref in range(100):  # 3 MB of answers, which Daphne would keep
                await silent.wire.send(f'{{"type":"history","ref":{ref},"room":{room.pk}}}')
            assert await silent.closed() == 1000
            assert [frame["reason"] for frame in silent.frames if frame["type"] == "bye"] == ["limit"]
            answered = [frame for frame in silent.frames if frame["type"] == "ack"]
            assert limit / 2 < sum(len(said["body"]) for frame in answered for said in frame["messages"]) < limit

    asyncio.run(story())
