"""The way to the other processes of a site: what each one must be able to do."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any

from ..exceptions import CarillonError


class TooLong(CarillonError, ValueError):
    """A message has more bytes than this way carries."""


class Transport(ABC):
    """Carries plain data from one process to all others that listen under the same name.

    Args:
        group: The name under which the processes of one site hear each other, and no other site.
    """

    title: str  # what it is called in the log
    in_place = False  # whether a process without a server sends in the thread that has something to say

    def __init__(self, group: str) -> None:
        """Prepare; nothing is connected yet."""
        self.group = group

    @abstractmethod
    async def send(self, told: Mapping[str, Any]) -> None:
        """Send to all that listen, this process perhaps among them; raise where that fails or takes too long."""

    def send_in_place(self, told: Mapping[str, Any]) -> None:
        """Send without `listen`, from any thread, where the transport does so; what fails is logged."""
        raise NotImplementedError

    @abstractmethod
    async def listen(self, heard: Callable[[Any], None], joined: Callable[[], None]) -> None:
        """Listen until the membership has to be renewed; raise where it is lost.

        Args:
            heard: Called with whatever arrives.
            joined: Called when nothing is missed from now on.
        """
