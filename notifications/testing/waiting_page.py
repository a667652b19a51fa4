"""An open page for tests that are not asynchronous: they wait where those await."""

from __future__ import annotations

from typing import Any

from django.test import Client

from .inline import DrivenLoop
from .open_page import AsyncOpenPage
from .page_state import Frame


class OpenPage:
    """The page that ``with LiveClient(user) as page:`` opens, for tests that are not asynchronous."""

    def __init__(self, page: AsyncOpenPage, driven: DrivenLoop) -> None:
        """Take the page, which is connected, and the loop that it lives in."""
        self._page = page
        self._driven = driven

    @property
    def http(self) -> Client:
        """Django's test client, with the same session: for what the page would request besides."""
        return self._page.http

    @property
    def items(self) -> list[dict[str, Any]]:
        """See `AsyncOpenPage.items`."""
        return self._page.items

    @property
    def unread(self) -> int:
        """See `AsyncOpenPage.unread`."""
        return self._page.unread

    @property
    def unseen(self) -> int:
        """See `AsyncOpenPage.unseen`."""
        return self._page.unseen

    def events(self, feed: str) -> list[dict[str, Any]]:
        """See `AsyncOpenPage.events`."""
        return self._page.events(feed)

    def next(self, *names: str, within: float | None = None) -> Frame:
        """See `AsyncOpenPage.next`."""
        return self._driven.wait_for(self._page.next(*names, within=within))

    def settled(self) -> list[Frame]:
        """See `AsyncOpenPage.settled`."""
        return self._driven.wait_for(self._page.settled())

    def cut(self) -> None:
        """See `AsyncOpenPage.cut`."""
        self._driven.wait_for(self._page.cut())

    def resume(self) -> None:
        """See `AsyncOpenPage.resume`."""
        self._driven.wait_for(self._page.resume())

    def follow(self, *feeds: str) -> None:
        """See `AsyncOpenPage.follow`."""
        self._driven.wait_for(self._page.follow(*feeds))

    def unfollow(self, *feeds: str) -> None:
        """See `AsyncOpenPage.unfollow`."""
        self._driven.wait_for(self._page.unfollow(*feeds))
