"""An open page: what the server tells it, and what it knows by that."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from django.test import Client
from django.urls import reverse

from ..broadcasts.publishing import post
from ..feeds.following import keys_of
from ..feeds.stream import FEED
from ..inbox.stream import INBOX
from ..live import relay
from ..live.cursor import Position
from ..live.django_internals import in_transaction
from ..live.http import LANGUAGE_HEADER
from ..live.replay import settle
from ..live.streams import StreamType
from .inline import InlinePool
from .page_state import Frame, PageState
from .transports import Ask, Transport


class AsyncOpenPage:
    """The page that ``async with LiveClient(user) as page:`` opens."""

    def __init__(
        self,
        user: Any,
        http: Client,
        feeds: Iterable[str],
        language: str,
        make_transport: Callable[[Ask], Transport],
        pool: InlinePool,
        timeout: float,
    ) -> None:
        """Describe a page that is not connected yet.

        Args:
            user: Who has opened it; None for a visitor.
            http: The client with the user's session.
            feeds: The names of feeds that it follows.
            language: Its language; empty for the one that the site's middleware chooses.
            make_transport: Makes a connection of it.
            pool: Where the test does its database work.
            timeout: Seconds for which it waits.
        """
        self.http: Final = http
        """Django's test client, with the same session: for what the page would request besides."""
        self._user = user
        self._feeds = list(feeds)
        self._language = language
        self._make_transport = make_transport
        self._do = pool.do
        self._timeout = timeout
        self._state = PageState()
        self._transport: Transport | None = None

    # What it knows

    @property
    def items(self) -> list[dict[str, Any]]:
        """The items that its list shows, newest first, as of the last frame that was taken: JSON, as in the API."""
        return self._state.items

    @property
    def unread(self) -> int:
        """How many notifications are unread."""
        return self._state.count("unread")

    @property
    def unseen(self) -> int:
        """The number on the bell."""
        return self._state.count("unseen")

    def events(self, feed: str) -> list[dict[str, Any]]:
        """Return the events of a feed that it knows, the oldest first: JSON, as in frames."""
        return self._state.events(feed)

    # What it is told

    async def next(self, *names: str, within: float | None = None) -> Frame:
        """Wait for a frame, fold it into what the page knows, and return it.

        Args:
            names: The types of frames that you wait for; frames of others are taken and passed over. Without any, the
                next frame but a heartbeat.
            within: Seconds for which it waits, in place of the `timeout` of the page.

        Raises:
            TimeoutError: It did not come in time; the message says which frames came.
            ConnectionError: The page is not connected, or the server has ended the connection.
        """
        if await self._do(in_transaction, INBOX.alias):
            await self._do(self._settle)  # nothing is announced before a commit, and within a `TestCase` there is none
        patience = self._timeout if within is None else within
        try:
            async with asyncio.timeout(patience):
                while True:
                    frame = await self._take()
                    if frame["type"] in names or not (names or frame["type"] == "heartbeat"):
                        return frame
        except TimeoutError:
            wanted = " or ".join(map(repr, names)) or "frame"
            raise TimeoutError(f"No {wanted} came within {patience:g} seconds. {self._history()}") from None

    async def settled(self) -> list[Frame]:
        """Take all frames up to what the database has now, and return them: none means that the page was told nothing.

        Raises:
            TimeoutError: They did not come in time.
            ConnectionError: The page is not connected, or the server has ended the connection.
        """
        heads = await self._do(self._settle)
        frames: list[Frame] = []
        try:
            async with asyncio.timeout(self._timeout):
                while self._is_behind(heads):
                    frames.append(await self._take())
        except TimeoutError:
            raise TimeoutError(
                f"The page did not catch up within {self._timeout:g} seconds: it is at {self._state.cursor!r}. "
                f"{self._history()}"
            ) from None
        return [frame for frame in frames if frame["type"] != "heartbeat"]

    # What happens to it

    async def cut(self) -> None:
        """Lose the connection without a word; the page keeps what it knows, and its position."""
        transport, self._transport = self._transport, None
        if transport is not None:
            await transport.cut()

    async def resume(self) -> None:
        """Connect again, from the position that the page has.

        Raises:
            ConnectionRefusedError: The server has refused; the message has its answer.
            TimeoutError: It has not answered in time.
        """
        await self.cut()
        transport = self._make_transport(self._ask)
        async with asyncio.timeout(self._timeout):
            await transport.open()
        self._transport = transport

    async def follow(self, *feeds: str) -> None:
        """Follow feeds besides, as a page does that shows more: frames of type ``feed.status`` say whether it may."""
        self._feeds += [name for name in feeds if name not in self._feeds]
        await self._tell({"follow": dict.fromkeys(feeds, self._state.cursor)})

    async def unfollow(self, *feeds: str) -> None:
        """Let feeds go."""
        self._feeds = [name for name in self._feeds if name not in feeds]
        await self._tell({"unfollow": list(feeds)})

    # How

    async def _take(self) -> Frame:
        if self._transport is None:
            raise ConnectionError("The page is not connected: it was cut, and has not resumed.")
        told = await self._transport.receive()
        if told is None:
            self._transport = None
            raise ConnectionError(f"The server has ended the connection. {self._history()}")
        self._state.take(*told)
        return told[0]

    def _ask(self) -> tuple[dict[str, str], dict[str, str]]:
        query = {"since": self._state.cursor}
        if self._feeds or self._user is None:
            query["feeds"] = ",".join(self._feeds)
        cookies = "; ".join(f"{name}={morsel.value}" for name, morsel in self.http.cookies.items())
        return query, {"cookie": cookies, LANGUAGE_HEADER: self._language}

    async def _tell(self, wish: dict[str, Any]) -> None:
        body = {"connection": self._state.connection, **wish}
        address = reverse("notifications:follow-feeds")
        answer = await self._do(self.http.post, address, body, content_type="application/json")
        if answer.status_code != 200:
            raise ConnectionError(f"The server has answered with {answer.status_code}: {answer.content.decode()}")

    def _settle(self) -> dict[str, Position]:
        """Do what a server does from time to time for what nobody has announced; return where the streams are then."""
        followed = keys_of(name for name in self._feeds if name not in self._state.refused)
        streams: list[tuple[StreamType, list[Any]]] = [
            (FEED, [FEED.pk(key) for key in followed if key.type == FEED.name])
        ]
        if self._user is not None:
            streams.append((INBOX, [self._user.pk]))
        try:
            post()
            for stream_type, pks in streams:
                settle(stream_type, pks, relay.sequence_and_announce)
        except RuntimeError as error:  # Django's, of a durable block
            message = "Leave transaction.atomic() before you wait: what it has stored reaches no page before its end."
            raise RuntimeError(message) from error
        heads = {}
        for stream_type, pks in streams:
            for pk, epoch, head, _floor in stream_type.positions.run(pks, stream_type.alias):
                heads[stream_type.cursor_name(pk)] = Position(epoch, head)
        return heads

    def _is_behind(self, heads: Mapping[str, Position]) -> bool:
        """Return whether there is more to be told: what has come already, or what the streams have."""
        if self._transport is not None and self._transport.ready:
            return True
        refused = {FEED.cursor_name(key.pk) for key in keys_of(self._state.refused) if key.type == FEED.name}
        there = self._state.positions
        return any(
            name not in there or there[name].epoch != head.epoch or there[name].modseq < head.modseq
            for name, head in heads.items()
            if name not in refused
        )

    def _history(self) -> str:
        return f"What came was: {', '.join(self._state.told) or 'nothing'}."
