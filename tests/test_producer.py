"""A process without a server keeps one connection to the layer, and nothing that happens to it costs a notification."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from concurrent.futures import CancelledError
from contextlib import suppress
from typing import Any

import pytest
import redis
from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer
from django.test import override_settings

from notifications.live import channel_layer, producer
from notifications.live.broker import Broker, group
from notifications.live.messages import Message, Sweep
from tests.servers.asgi import ROOT
from tests.servers.process import wait_until
from tests.servers.valkey import Valkey, running

BACKENDS = ["channels_redis.core.RedisChannelLayer", "channels_redis.pubsub.RedisPubSubChannelLayer"]


def layers(address: str, backend: str = BACKENDS[0]) -> Any:
    return override_settings(CHANNEL_LAYERS={"default": {"BACKEND": backend, "CONFIG": {"hosts": [address]}}})


@pytest.fixture(autouse=True)
def ended() -> Iterator[None]:
    """End the thread with each test, as the process's end does."""
    yield
    producer.producer.close()
    producer.producer.__init__()  # type: ignore[misc]  # whatever the layer of the last test did


@pytest.fixture
def own_valkey() -> Iterator[Valkey]:
    """Run a server that nobody else has connected to, so that its connections can be counted."""
    with running() as server:
        yield server


def connections(valkey: Valkey, field: str = "total_connections_received") -> int:
    with redis.Redis.from_url(valkey.url) as client:
        return int(client.info()[field])


async def received(work: Any) -> list[str]:
    """Do something in a thread, and return the names of the messages that another process gets of it."""
    layer = get_channel_layer()
    assert layer is not None
    channel = await layer.new_channel("test")
    await layer.group_add(group(), channel)
    number = await sync_to_async(work)()
    async with asyncio.timeout(10):
        return [(await layer.receive(channel))["message"]["name"] for _ in range(number)]


def post(number: int = 1) -> int:
    for _ in range(number):
        Broker.post_once(Sweep())
    return number


@pytest.mark.parametrize("backend", BACKENDS)
def test_any_number_of_posts_takes_one_connection(own_valkey: Valkey, backend: str) -> None:
    with layers(own_valkey.url, backend):
        post()
        before = connections(own_valkey)
        post(20)
        assert connections(own_valkey) == before + 1  # that of the question itself
        assert connections(own_valkey, "connected_clients") == 2
        producer.producer.close()
        # The server notices that one connection was closed some time after it has answered on another.
        wait_until(lambda: connections(own_valkey, "connected_clients") == 1, "The connection was not closed.")


def test_threads_share_it(own_valkey: Valkey) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with layers(own_valkey.url), ThreadPoolExecutor(8) as pool:
        post()
        before = connections(own_valkey)
        assert sum(pool.map(post, [5] * 8)) == 40
        assert connections(own_valkey) == before + 1


def test_each_message_arrives_and_again_after_the_broker_was_away(valkey: Valkey) -> None:
    with layers(valkey.url):
        assert asyncio.run(received(lambda: post(3))) == ["sweep"] * 3
        valkey.kill()
        valkey.start()
        assert asyncio.run(received(lambda: post(2))) == ["sweep"] * 2


def test_a_broker_that_does_not_answer_is_waited_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channel_layer, "POST_TIMEOUT", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent, layers(f"redis://127.0.0.1:{silent.getsockname()[1]}"):
        began = time.monotonic()
        post(50)
        assert time.monotonic() - began < 2


def test_on_an_event_loop_nobody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channel_layer, "POST_TIMEOUT", 1.0)

    async def call() -> float:
        began = time.monotonic()
        post()
        return time.monotonic() - began

    with socket.create_server(("127.0.0.1", 0)) as silent, layers(f"redis://127.0.0.1:{silent.getsockname()[1]}"):
        assert asyncio.run(call()) < 0.5


def test_a_thread_that_has_died_is_replaced(valkey: Valkey) -> None:
    with layers(valkey.url):
        post()
        loop, thread = producer.producer._loop, producer.producer._thread
        assert loop is not None
        assert thread is not None
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        assert asyncio.run(received(lambda: post(2))) == ["sweep"] * 2


def test_a_post_that_is_ended_from_outside_keeps_no_place() -> None:
    own = producer.Producer()

    async def ended(_message: Message) -> bool:
        raise asyncio.CancelledError

    async def fails(_message: Message) -> bool:
        return False

    sent: list[Message] = []

    async def sends(message: Message) -> bool:
        sent.append(message)
        return True

    with suppress(CancelledError):
        own.post([Sweep()], ended)
    own.post([Sweep()], fails)
    wait_until(lambda: own._waiting == 0, "The post has not ended.")
    own.post([Sweep()], sends)
    own.close()
    assert sent


CHILDREN = """
    import os, sys
    import django
    from django.conf import settings

    settings.configure(
        SECRET_KEY="x", INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "notifications"],
        CHANNEL_LAYERS={"default": {"BACKEND": "%(backend)s", "CONFIG": {"hosts": [sys.argv[1]]}}},
        NOTIFICATIONS_SITE="children",
    )
    django.setup()
    from notifications.live import broker

    broker.Broker.post_once(broker.Message())
    parent = broker._process
    if child := os.fork():
        _pid, status = os.waitpid(child, 0)
        broker.Broker.post_once(broker.Message())
        sys.exit(os.waitstatus_to_exitcode(status))
    assert broker._process != parent, "siblings would not hear each other"
    broker.Broker.post_once(broker.Message())
"""


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_child_has_its_own_and_both_end_in_good_order(valkey: Valkey, backend: str) -> None:
    script = textwrap.dedent(CHILDREN % {"backend": backend}).replace("broker.Message()", "Sweep()")
    script = script.replace("import broker\n", "import broker\nfrom notifications.live.messages import Sweep\n", 1)
    before = connections(valkey)

    def run() -> int:
        command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", script, valkey.url]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
        assert (done.returncode, done.stderr) == (0, "")
        return 3

    with layers(valkey.url, backend), override_settings(NOTIFICATIONS_SITE="children"):
        assert asyncio.run(received(run)) == ["sweep"] * 3
    assert connections(valkey) - before <= 6  # two producers, the listener, and the questions
