"""The event that servers without a database publish: as long as a notification's, with the moment of publication."""

from __future__ import annotations

import time
from urllib.parse import parse_qs

FIRST = b"event: hello\ndata: {}\n\n"
BYTES = 500


def event() -> bytes:
    """Return an event of now."""
    head = b'event: changes\nid: inbox=1.1\ndata: {"title":"bench-t=%d","body":"' % time.monotonic_ns()
    return head + b"x" * (BYTES - len(head) - 4) + b'"}\n\n'


def order(query: bytes) -> tuple[int, float]:
    """Return how many events a request to publish asks for, and the seconds between them."""
    values = parse_qs(query.decode())
    return int(values["events"][0]), float(values["gap"][0])
