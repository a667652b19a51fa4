"""Every way to other processes does the same: the channel layers, and PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any
from unittest.mock import patch

import pytest
from channels_redis.core import RedisChannelLayer
from django.db import connections
from django.test import override_settings
from django.utils.module_loading import import_string

from notifications.live import channel_layer, producer
from notifications.live.broker import Broker, group
from notifications.live.channel_layer import ChannelLayer
from notifications.live.messages import Hints, Sweep, decode, encode
from notifications.live.postgresql import PostgreSQL
from notifications.live.transport import Transport
from tests.hearing import Listener, primary

LAYERS = {"channel layer": "core.RedisChannelLayer", "pub/sub layer": "pubsub.RedisPubSubChannelLayer"}

Make = Callable[[str], Transport]
LONG = {
    "site": "s",
    "process": "p",
    "message": {"name": "hints", "moved": [["inbox", str(n), n] for n in range(5_000)]},
}
MESSAGES: dict[str, dict[str, Any]] = {
    "a short one": {"message": {"name": "sweep"}},
    "one of many bytes": LONG,
    "any text": {"message": {"name": "ephemeral", "text": "\x00 \\u0000 é 漢字 🔔 ' \" % %s \u2028"}},
    "nothing": {},
}


@pytest.fixture(params=[*LAYERS, "PostgreSQL"])
def make(request: pytest.FixtureRequest, django_db_blocker: Any) -> Iterator[Make]:
    """Return what makes transports by the name of their group; each listens as a process of its own."""
    if request.param == "PostgreSQL":
        with django_db_blocker.unblock(), primary(request.getfixturevalue("postgresql").create()):
            yield PostgreSQL
        return
    address = {"address": request.getfixturevalue("valkey").url, "socket_timeout": None}
    backend = f"channels_redis.{LAYERS[request.param]}"
    with override_settings(CHANNEL_LAYERS={"default": {"BACKEND": backend, "CONFIG": {"hosts": [address]}}}):
        yield lambda group: ChannelLayer(group, import_string(backend)(hosts=[address]))


def post_once() -> None:
    """Post in a thread, and leave no connection of it."""
    Broker.post_once(Sweep())
    connections.close_all()


def test_what_one_says_all_others_hear(make: Make) -> None:
    async def talk() -> None:
        speaker, other = make("carillon.ours"), make("carillon.ours")
        async with Listener(speaker), Listener(other) as one, Listener(make("carillon.ours")) as two:
            for told in MESSAGES.values():
                await speaker.send(told)
            for listener in (one, two):
                for told in MESSAGES.values():
                    assert (await listener.next()).items() >= told.items()

    asyncio.run(talk())


def test_two_sites_hear_nothing_of_each_other(make: Make) -> None:
    async def talk() -> None:
        ours, theirs = make("carillon.ours"), make("carillon.theirs")
        async with (
            Listener(ours),
            Listener(theirs),
            Listener(make("carillon.ours")) as us,
            Listener(make("carillon.theirs")) as them,
        ):
            await theirs.send({"message": 1})
            assert (await them.next())["message"] == 1
            await ours.send({"message": 2})
            assert (await us.next())["message"] == 2

    asyncio.run(talk())


def test_a_process_hears_the_others_and_not_itself(make: Make) -> None:
    async def talk() -> None:
        got: asyncio.Queue[Any] = asyncio.Queue()
        joined = asyncio.Event()
        broker = Broker(got.put_nowait, joined.set)
        tasks = broker.start()
        await joined.wait()
        assert broker.connected
        other = make(group())
        async with Listener(other), Listener(make(group())) as third:
            broker.post(Sweep())
            await asyncio.to_thread(post_once)
            own = [await third.next(), await third.next()]
            assert [decode(told["message"]) for told in own] == [Sweep(), Sweep()]
            await other.send({**own[0], "process": "another", "message": encode(Hints([("inbox", "1", 7)]))})
            async with asyncio.timeout(10):
                assert decode(await got.get()) == Hints([("inbox", "1", 7)])
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        producer.producer.close()

    asyncio.run(talk())


def test_who_is_forgotten_by_a_layer_that_was_flushed_hears_of_others_again(valkey: Any) -> None:
    address = {"address": valkey.url, "socket_timeout": None}

    async def talk() -> None:
        speaker, way = (ChannelLayer("carillon.ours", RedisChannelLayer(hosts=[address])) for _ in range(2))
        async with Listener(way) as listener:
            await speaker.send({"message": 1})
            assert (await listener.next())["message"] == 1
            valkey.flush()
            async with asyncio.timeout(15):
                while listener.heard.empty():
                    await speaker.send({"message": 2})
                    await asyncio.sleep(channel_layer.REJOIN)
            assert (await listener.next())["message"] == 2

    with patch.object(channel_layer, "REJOIN", 0.05):
        asyncio.run(talk())
