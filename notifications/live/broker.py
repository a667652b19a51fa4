"""Hints between processes, through the configured Channels layer.

One channel per process and one group for all of a site: a channel per connection would cost more than the connection.
Sites that share a layer do not hear each other: the group's name and every message carry the site's.
"""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
from collections.abc import Callable
from functools import partial
from hashlib import blake2b
from typing import Any

from channels.layers import InMemoryChannelLayer, get_channel_layer
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS
from django.utils.crypto import salted_hmac

from .. import tenants
from ..conf import conf
from . import producer
from .messages import Message, encode

logger = logging.getLogger("notifications")

NAME = "carillon"  # begins the group's name, and is the type of its messages
POST_TIMEOUT = 2.0  # seconds; a hint is not worth waiting for longer
POST_LIMIT = 1_000  # messages on their way to the broker; beyond them hints are dropped and comparison finds them
REJOIN = 3600.0  # seconds; group membership expires after a day
RECONNECT_PAUSE = (0.5, 10.0)  # seconds between attempts at a broker that is down: first and longest

_process = secrets.token_hex(8)


def _after_fork() -> None:
    """Give a child a name of its own, so that it does not take its siblings' messages for its own."""
    global _process
    _process = secrets.token_hex(8)


os.register_at_fork(after_in_child=_after_fork)


def site() -> str:
    """Return a name for this site: its processes share it, and no other site has it that uses the same layer.

    It is made of the secret key and of where the database is, or of ``NOTIFICATIONS_SITE`` where these differ between
    the processes of one site.
    """
    if conf.SITE:
        return blake2b(conf.SITE.encode(), digest_size=12).hexdigest()
    database = settings.DATABASES.get(DEFAULT_DB_ALIAS, {})
    place = "\n".join(str(database.get(part, "")) for part in ("HOST", "PORT", "NAME"))
    return salted_hmac("notifications.site", place, algorithm="sha256").hexdigest()[:24]


def site_key() -> str:
    """Return a name for this site, and its active tenant, that its pages may know: browsers keep what is of it by it.

    Two sites may share an origin, and a browser's storage with it.
    """
    return salted_hmac("notifications.storage", tenants.salted(site()), algorithm="sha256").hexdigest()[:20]


def group() -> str:
    """Return the name of the group of all processes of this site."""
    return f"{NAME}.{site()}"


def layer() -> Any:
    """Return the layer that reaches other processes, or None where there is only this one."""
    found = get_channel_layer(conf.CHANNEL_LAYER)
    return None if isinstance(found, InMemoryChannelLayer) else found


async def _post(found: Any, message: Message) -> bool:
    try:
        async with asyncio.timeout(POST_TIMEOUT):
            told = {"type": NAME, "site": site(), "process": _process, "message": encode(message)}
            try:
                await found.group_send(group(), told)
            except Exception:  # noqa: BLE001  # the broker may have closed a connection that was kept: take another one
                await found.group_send(group(), told)
    except Exception as error:  # noqa: BLE001  # whatever the layer's client library raises
        logger.warning("A hint did not reach the channel layer (%r); other processes find out by themselves.", error)
        return False
    return True


class Broker:
    """One process's membership in the group of all processes."""

    def __init__(self, receive: Callable[[Any], None], lost: Callable[[], None], *, alone: bool = False) -> None:
        """Prepare to listen.

        Args:
            receive: Called with each message that another process has sent, as `messages.encode` made it.
            lost: Called when messages may have been missed: after every (re)connection.
            alone: Whether other processes are left out.
        """
        self.connected = False
        self._on_message = receive
        self._lost = lost
        self._posts: asyncio.Queue[Message] = asyncio.Queue(POST_LIMIT)
        self._layer: Any = None if alone else layer()
        self._site = site()
        self._group = group()

    def start(self) -> list[asyncio.Task[None]]:
        """Begin to listen and to post, where there is a layer; return the tasks."""
        if self._layer is None:
            return []
        loop = asyncio.get_running_loop()
        return [loop.create_task(self._listen()), loop.create_task(self._post_all())]

    def post(self, message: Message) -> None:
        """Send `message` to all other processes without waiting."""
        if self._layer is None:
            return
        try:
            self._posts.put_nowait(message)
        except asyncio.QueueFull:
            logger.warning("The channel layer is too slow; a hint was dropped.")

    @staticmethod
    def post_once(message: Message) -> None:
        """Send `message` from a process without a server: a WSGI worker, a shell, a command."""
        if (found := layer()) is not None:
            producer.producer.do(partial(_post, found, message))

    async def _post_all(self) -> None:
        while True:
            await _post(self._layer, await self._posts.get())

    async def _listen(self) -> None:
        pause, longest = RECONNECT_PAUSE
        while True:
            try:
                channel = await self._layer.new_channel(NAME)
                await self._layer.group_add(self._group, channel)
                self.connected = True
                self._lost()
                pause = RECONNECT_PAUSE[0]
                await self._receive(channel)
            except Exception as error:  # noqa: BLE001  # the loop survives whatever the client library raises
                logger.warning("The channel layer failed (%r); trying again in %.1f s.", error, pause)
                self.connected = False
                await asyncio.sleep(pause)
                pause = min(pause * 2, longest)

    async def _receive(self, channel: str) -> None:
        """Receive messages until it is time to rejoin the group."""
        loop = asyncio.get_running_loop()
        until = loop.time() + REJOIN
        while loop.time() < until:
            try:
                async with asyncio.timeout_at(until):
                    message = await self._layer.receive(channel)
            except TimeoutError:
                break
            if message.get("site") == self._site and message.get("process") != _process:
                self._on_message(message.get("message"))
        await self._layer.group_discard(self._group, channel)
