"""Drain connections before the server stops.

On shutdown, a server either waits for open streams forever or cuts them. So on SIGTERM or SIGINT
every client first gets ``bye``, and then the signal is passed to the previous handler.
"""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable
from types import FrameType


def on_termination(loop: asyncio.AbstractEventLoop, drain: Callable[[], float]) -> None:
    """Call `drain` in `loop` at the first SIGTERM or SIGINT, and pass the signal on when it is done.

    Args:
        loop: The loop that serves the connections.
        drain: Ends the connections; returns the seconds to wait before the signal goes on.
    """
    if threading.current_thread() is not threading.main_thread():
        return  # only the main thread may handle signals; the server then stops as it does without us
    for number in (signal.SIGTERM, signal.SIGINT):
        previous = signal.getsignal(number)
        if callable(previous):  # else the process ends immediately, and there is no handler to pass the signal to
            signal.signal(number, _handler(loop, drain, previous))


def _handler(
    loop: asyncio.AbstractEventLoop,
    drain: Callable[[], float],
    previous: Callable[[int, FrameType | None], object],
) -> Callable[[int, FrameType | None], None]:
    def handle(number: int, frame: FrameType | None) -> None:
        signal.signal(number, previous)  # a second signal is not delayed
        if loop.is_closed():
            previous(number, frame)
        else:
            loop.call_soon_threadsafe(drain_first, number)

    def drain_first(number: int) -> None:
        loop.call_later(drain(), signal.raise_signal, number)

    return handle
