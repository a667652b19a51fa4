"""The test kit: what was sent, what an open page receives, and what happens later.

Everything runs as it does in production, on your tests' own database; nothing is mocked, and nothing is served::

    from notifications.testing import LiveClient, captured, travel

    with captured() as sent:
        ship(order)
    sent.assert_notified(alice, OrderShipped, order=order)
    sent.assert_nothing_notified(bob)

Each context manager works with ``with`` and, in an asynchronous test, with ``async with``.
"""

from .capturing import Sent, captured
from .clock import run_due, travel
from .live_client import LiveClient
from .making import make
from .open_page import AsyncOpenPage
from .waiting_page import OpenPage

__all__ = ["AsyncOpenPage", "LiveClient", "OpenPage", "Sent", "captured", "make", "run_due", "travel"]
