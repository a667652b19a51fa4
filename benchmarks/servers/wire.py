"""The events that servers without a database publish: as long as a notification's, with the moment of publication."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from urllib.parse import parse_qs

FIRST = b"event: hello\ndata: {}\n\n"
BYTES = 630  # what a notification of `site.publish` takes


@dataclass(frozen=True)
class Order:
    """What a request to publish asks for."""

    own: bool  # whether each stream has an event of its own, or all share one
    events: int
    gap: float  # seconds between events

    @classmethod
    def of(cls, query: bytes) -> Order:
        """Read the query of the request's address."""
        values = parse_qs(query.decode())
        return cls(values["to"][0] == "all", int(values["events"][0]), float(values["gap"][0]))

    def next(self) -> Order:
        """Return what is left to do after an event."""
        return replace(self, events=self.events - 1)


def event() -> bytes:
    """Return an event of now, which all streams share."""
    return own_event(1, content())


def content() -> bytes:
    """Return what is the same in every stream's own event of now."""
    head = b'data: "title":"bench-t=%d","body":"' % time.monotonic_ns()
    return head + b"x" * (BYTES - len(head) - 61) + b'"}\n\n'


def own_event(stream: int, shared: bytes) -> bytes:
    """Return a stream's own event: a position and a count of its own before what is shared."""
    return b'event: changes\nid: inbox=%d.1\ndata: {"unread":%d,\n%b' % (stream, stream, shared)
