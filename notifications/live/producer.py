"""Posts to other processes from one without a server: a WSGI worker, a task queue, a shell, a command.

A thread keeps an event loop, and with it the transport's connection, for as long as the process lives. A new loop for
each message would open a new connection each time, which costs more than all the rest of `notify`.

Who posts waits until it is sent, for a moment: a thread that went on computing would hold the interpreter, and each
answer of the broker would wait for it. What other threads post meanwhile goes with the next message.
"""

from __future__ import annotations

import asyncio
import atexit
import logging
import os
import threading
from collections.abc import Awaitable, Callable, Iterable

from .messages import Message
from .outgoing import Outgoing
from .threads import on_event_loop

logger = logging.getLogger("notifications")

WAIT = 2.5  # seconds for which a caller waits; a post ends before

Send = Callable[[Message], Awaitable[bool]]


class Producer:
    """Sends one message after the other in a thread of its own, which starts at the first."""

    def __init__(self) -> None:
        """Prepare; nothing is started yet."""
        self._lock = threading.Lock()
        self._outgoing = Outgoing()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._turn: asyncio.Lock | None = None
        self._waiting = 0
        self._failing = False  # the last post has failed

    def post(self, messages: Iterable[Message], send: Send) -> None:
        """Send `messages`, by what returns whether it succeeded, and wait for the end, though not on an event loop.

        While the broker fails, one post at a time finds out whether it is back, and nobody waits. What comes meanwhile
        gathers, and the next post that succeeds asks for a comparison in the place of what was lost.
        """
        for message in messages:
            self._outgoing.add(message)
        with self._lock:
            if self._failing and self._waiting:
                return
            patient = not self._failing and not on_event_loop()
            self._waiting += 1
            try:
                loop = self._started()
            except RuntimeError as error:  # the interpreter ends and starts no more threads
                self._waiting -= 1
                logger.warning("A hint was not posted: %s", error)
                return
        done = asyncio.run_coroutine_threadsafe(self._send_all(send), loop)
        if patient:
            try:
                done.result(WAIT)
            except TimeoutError:
                logger.warning("A hint is still on its way; nobody waits for it any longer.")

    def close(self) -> None:
        """Close the connection and end the thread; a later post starts both again."""
        with self._lock:
            loop, thread = self._loop, self._thread
            self._loop = self._thread = None
        if loop is not None and thread is not None:
            asyncio.run_coroutine_threadsafe(self._end(), loop)
            thread.join(WAIT)

    async def _send_all(self, send: Send) -> None:
        assert self._turn is not None
        succeeded = False
        try:
            async with self._turn:  # one connection is enough
                succeeded = await self._send_each(send)
        finally:  # whatever has ended it: who has a place here keeps others from posting while the broker fails
            with self._lock:
                self._waiting -= 1
                self._failing = not succeeded

    async def _send_each(self, send: Send) -> bool:
        for message in self._outgoing.take():
            if not await send(message):
                self._outgoing.lose()
                return False
        return True

    async def _end(self) -> None:
        """Stop the loop after what is on its way; a failing broker does not hold up the end for long."""
        assert self._turn is not None
        async with self._turn:
            asyncio.get_running_loop().stop()

    def _started(self) -> asyncio.AbstractEventLoop:
        if self._loop is None or self._loop.is_closed():  # whatever has ended its thread
            loop = asyncio.new_event_loop()
            thread = threading.Thread(target=_run, args=(loop,), name="notifications-producer", daemon=True)
            thread.start()
            self._loop, self._thread, self._turn = loop, thread, asyncio.Lock()
        return self._loop


def _run(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
    finally:
        tasks = asyncio.all_tasks(loop)
        for task in tasks:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        loop.close()  # the transport closes its connections with it


producer = Producer()
_abandoned: list[Producer] = []


def _after_fork() -> None:
    """Begin anew in a child. What it has inherited stays untouched, for the parent's loop is made of the same files."""
    global producer
    _abandoned.append(producer)
    producer = Producer()


os.register_at_fork(after_in_child=_after_fork)
atexit.register(lambda: producer.close())
