"""A worker: the process that serves. It tells its supervisor how it is, and ends when it is told to.

A socket pair links the two. Once a second the worker's event loop sends that it still turns; when it has served its
number of requests it asks to be replaced. When the other end closes, the supervisor is gone, and the worker ends too.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import socket
import threading
from contextlib import suppress
from types import FrameType

from ..live import relay
from .application import Application
from .servers import SERVERS, Server

ALIVE, REPLACE = b"a", b"r"  # what a worker says
BEAT = 1.0  # seconds between two ALIVE
LAST_REQUESTS = (
    0.3  # seconds between the last new connection and the drain: what was accepted has sent its request by then
)
BELOW = 0.2  # of a limit, by which a worker may stay below it, so that not all reach theirs at once
ROUNDS = 10  # requests of each client that a worker serves at the least, before it is replaced for their number
VARIABLE = "CARILLON_WORKER"  # names a worker's listening socket and its link, by file descriptor


def below(limit: float) -> float:
    """Return a number that is at most the limit, and another one for each worker."""
    return limit * random.uniform(1 - BELOW, 1)


def inherited() -> tuple[socket.socket, socket.socket] | None:
    """Return the listening socket and the link if this process was started as a worker."""
    given = os.environ.pop(VARIABLE, "")
    if not given:
        return None
    listening, link = (socket.socket(fileno=int(number)) for number in given.split(","))
    for sock in (listening, link):
        sock.set_inheritable(False)
    link.setblocking(False)
    return listening, link


class Worker:
    """One process that serves."""

    def __init__(self, link: socket.socket | None = None, max_requests: int = 0, *, whole_site: bool = False) -> None:
        """Load the application.

        Args:
            link: Leads to the supervisor; None without one.
            max_requests: How many requests to serve before asking to be replaced; 0 for any number.
            whole_site: Whether to serve all of the site, as a development server does.
        """
        self._link = link
        self._left = max(round(below(max_requests)), 1) if max_requests else 0
        self._served = 0
        self._app = Application(self._started, self._count, whole_site=whole_site)
        self._server: Server

    def run(self, server: str, listening: socket.socket) -> None:
        """Serve until a signal or the supervisor's end."""
        listening.setblocking(False)  # Daphne accepts until nobody waits
        self._server = SERVERS[server](self._app, listening)
        self._server.run()

    def _started(self) -> None:
        """Begin what is not for one connection: deliveries, periodic tasks, and the link."""
        relay.current()
        loop = asyncio.get_running_loop()
        if threading.current_thread() is threading.main_thread():
            self._settle_before_the_drain(loop)
        if self._link is not None:
            loop.add_reader(self._link, self._left_alone, loop, self._link)
            self._beat(loop)

    def _settle_before_the_drain(self, loop: asyncio.AbstractEventLoop) -> None:
        """At a signal, leave new connections to other workers before clients are told to reconnect."""
        drain = {int(number): signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}  # the relay's

        def settle(number: int, frame: FrameType | None) -> None:
            signal.signal(number, drain[number])  # a second signal is not delayed
            if not loop.is_closed():
                loop.call_soon_threadsafe(self._server.stop_listening)
                loop.call_soon_threadsafe(loop.call_later, LAST_REQUESTS, signal.raise_signal, number)

        for number in drain:
            signal.signal(number, settle)

    def _beat(self, loop: asyncio.AbstractEventLoop) -> None:
        self._send(ALIVE)
        loop.call_later(BEAT, self._beat, loop)

    def _count(self) -> None:
        if self._left:
            self._left -= 1
            self._served += 1
            if not self._left:
                self._ask_to_be_replaced()

    def _ask_to_be_replaced(self) -> None:
        """Ask for it, unless those requests were little more than the clients: they would all come to the next one."""
        clients = relay.current().connections()
        if self._served >= ROUNDS * clients:
            self._send(REPLACE)
        else:
            self._left = ROUNDS * clients - self._served

    def _send(self, word: bytes) -> None:
        if self._link is not None:
            with suppress(OSError):  # it does not read for a moment, or is gone, which the loop finds by itself
                self._link.send(word)

    @staticmethod
    def _left_alone(loop: asyncio.AbstractEventLoop, link: socket.socket) -> None:
        """End as at a signal: the link has nothing to read but its end."""
        loop.remove_reader(link)
        signal.raise_signal(signal.SIGTERM)
