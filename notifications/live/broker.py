"""Hints between the processes of a site, over whichever way there is to the others.

That is the configured Channels layer or, without one, PostgreSQL. Sites that share either do not hear each other: the
name under which they listen and every message carry the site's.
"""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from hashlib import blake2b
from typing import Any

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS
from django.utils.crypto import salted_hmac

from .. import tenants
from ..conf import conf
from . import channel_layer, postgresql, producer
from .channel_layer import NAME, ChannelLayer
from .messages import Message, Sweep, encode
from .outgoing import STREAMS, Outgoing
from .transport import TooLong, Transport

logger = logging.getLogger("notifications")

HOLD = 0.05  # seconds for which hints are held back to be joined with others of the same transaction
RECONNECT_PAUSE = (0.5, 10.0)  # seconds between attempts at a broker that is down: first and longest

_process = secrets.token_hex(8)


def _after_fork() -> None:
    """Give a child a name of its own, so that it does not take its siblings' messages for its own."""
    global _process
    _process = secrets.token_hex(8)


os.register_at_fork(after_in_child=_after_fork)


def site() -> str:
    """Return a name for this site: its processes share it, and no other site has it that uses the same broker.

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


def transport() -> Transport | None:
    """Return the way to other processes, or None where each has to find out by itself."""
    if (layer := channel_layer.layer()) is not None:
        return ChannelLayer(group(), layer)
    return postgresql.find(group())


def _told(message: Message) -> dict[str, Any]:
    return {"site": site(), "process": _process, "message": encode(message)}


async def _send(way: Transport, message: Message) -> bool:
    try:
        await way.send(_told(message))
    except Exception as error:  # noqa: BLE001  # whatever the client library raises
        logger.warning("A hint did not get out (%r). %s failed; others find out by themselves.", error, way.title)
        return False
    return True


class _Held(threading.local):
    """What a thread holds back to send it together."""

    outgoing: Outgoing | None = None
    since = 0.0


_held = _Held()


@contextmanager
def joined() -> Iterator[None]:
    """Let this thread's posts without a server go together: at the end, or when they have become many or old."""
    if _held.outgoing is not None:
        yield
        return
    _held.outgoing, _held.since = Outgoing(), time.monotonic()
    try:
        yield
    finally:
        outgoing, _held.outgoing = _held.outgoing, None
        _send_from_here(outgoing.take())


def _send_from_here(messages: list[Message]) -> None:
    if not messages or (way := transport()) is None:
        return
    if not way.in_place:
        producer.producer.post(messages, partial(_send, way))
        return
    for message in messages:
        try:
            way.send_in_place(_told(message))
        except TooLong as error:
            logger.warning("A hint was too long (%s); other processes compare with the database instead.", error)
            way.send_in_place(_told(Sweep()))


class Broker:
    """One process's membership in the group of all processes."""

    def __init__(self, receive: Callable[[Any], None], lost: Callable[[], None], *, alone: bool = False) -> None:
        """Prepare to listen.

        Args:
            receive: Called with each message that another process has sent, as `messages.encode` made it.
            lost: Called when messages may have been missed: after every (re)connection.
            alone: Whether other processes are left out.
        """
        self._on_message = receive
        self._lost = lost
        self._transport = None if alone else transport()
        self._site = site()
        self._outgoing = Outgoing()
        self._something = asyncio.Event()  # waits to be sent
        self._joined = asyncio.Event()
        self._fault = ""  # what was logged last

    @property
    def connected(self) -> bool:
        """Whether messages of other processes arrive."""
        return self._joined.is_set()

    def start(self) -> list[asyncio.Task[None]]:
        """Begin to listen and to post, where there is a way to others; return the tasks."""
        if self._transport is None:
            return []
        loop = asyncio.get_running_loop()
        return [loop.create_task(self._listen(self._transport)), loop.create_task(self._post_all(self._transport))]

    def post(self, message: Message) -> None:
        """Send `message` to all other processes without waiting; until they can be reached, it gathers with others."""
        if self._transport is not None:
            self._outgoing.add(message)
            self._something.set()

    @staticmethod
    def post_once(message: Message) -> None:
        """Send `message` from a process without a server: a WSGI worker, a shell, a command."""
        held = _held.outgoing
        if held is None:
            _send_from_here([message])
            return
        held.add(message)
        if held.streams >= STREAMS or time.monotonic() - _held.since > HOLD:
            _held.since = time.monotonic()
            _send_from_here(held.take())

    async def _post_all(self, way: Transport) -> None:
        pause, longest = RECONNECT_PAUSE
        while True:
            await self._something.wait()
            await self._joined.wait()
            self._something.clear()
            for message in self._outgoing.take():
                if await _send(way, message):
                    pause = RECONNECT_PAUSE[0]
                    continue
                self._outgoing.lose()
                self._something.set()
                await asyncio.sleep(pause)
                pause = min(pause * 2, longest)
                break

    async def _listen(self, way: Transport) -> None:
        pause, longest = RECONNECT_PAUSE
        while True:
            try:
                await way.listen(self._heard, self._has_joined)
                pause = RECONNECT_PAUSE[0]
            except Exception as error:  # noqa: BLE001  # the loop survives whatever the client library raises
                if self.connected:
                    pause = RECONNECT_PAUSE[0]
                self._joined.clear()
                self._warn(f"{way.title} failed ({error!r})", pause)
                await asyncio.sleep(pause)
                pause = min(pause * 2, longest)

    def _has_joined(self) -> None:
        self._joined.set()
        if self._fault:
            logger.info("Other processes can be heard again.")
        self._fault = ""
        self._lost()

    def _heard(self, told: Any) -> None:
        if isinstance(told, Mapping) and told.get("site") == self._site and told.get("process") != _process:
            self._on_message(told.get("message"))

    def _warn(self, fault: str, pause: float) -> None:
        """Log what is wrong, once while it is so."""
        level = logging.DEBUG if fault == self._fault else logging.WARNING
        self._fault = fault
        logger.log(level, "%s; trying again in %.1f s, and comparing with the database each second.", fault, pause)
