"""The supervisor: it starts workers, replaces those that end or are due, and ends them all when it is told to.

A worker that is due (by its age, its requests, or SIGHUP) serves until its successor does; they are replaced one after
the other. A worker is the same command started anew, so it runs the code that lies there now.
"""

from __future__ import annotations

import logging
import os
import random
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from math import inf
from types import FrameType

from . import systemd
from .worker import REPLACE, VARIABLE, below

LOOK_EVERY = 0.5  # seconds between two looks at the clock
START_WITHIN = 60.0  # seconds for a worker to start
HUNG = 30.0  # seconds without a word of a worker's event loop, after which it is killed
PAUSED = 5.0  # seconds between two looks, after which all were paused: nobody could say anything
END_WITHIN = 15.0  # seconds for a worker to end; longer than the server gives its connections
LONGEST_WAIT = 30.0  # seconds between two starts when workers keep crashing
STABLE = 60.0  # seconds without a crash, after which the next one is the first again

logger = logging.getLogger("notifications")


@dataclass(eq=False, slots=True)
class Child:
    """A worker, as its supervisor sees it."""

    process: subprocess.Popen[bytes]
    link: socket.socket
    heard: float  # when it was started, or has last said something
    expires: float  # when it is to be replaced for its age
    ready: bool = False
    due: bool = False
    ending: float = inf  # when it is killed, if it has been told to end


class Supervisor:
    """Keeps a number of workers serving on one socket."""

    def __init__(self, listening: socket.socket, workers: int, max_age: float, ready: Callable[[], None]) -> None:
        """Prepare to start workers.

        Args:
            listening: The socket on which they accept connections.
            workers: How many serve at once.
            max_age: Seconds after which a worker is replaced, at the latest; 0 for never.
            ready: Called once, when all serve for the first time.
        """
        self._listening = listening
        self._number = workers
        self._max_age = max_age
        self._ready = ready
        self._children: list[Child] = []
        self._selector = selectors.DefaultSelector()
        self._signals: list[int] = []
        self._served = False  # whether all have served at once
        self._stopping = False
        self._failed = False
        self._crashes = 0
        self._crashed = -inf
        self._start_at = -inf
        self._looked = time.monotonic()

    def run(self) -> int:
        """Supervise until a signal, and return the exit status."""
        with self._hearing_signals(), self._selector:
            while not self._stopping or self._children:
                self._turn(time.monotonic())
                for key, _events in self._selector.select(LOOK_EVERY):
                    key.data()
                self._act_on_signals()
        return int(self._failed)

    def _turn(self, now: float) -> None:
        paused, self._looked = now > self._looked + PAUSED, now
        for child in list(self._children):
            child.heard = now if paused else child.heard
            self._look(child, now)
        if self._stopping:
            return
        serving = [child for child in self._children if child.ending == inf]
        wanted = self._number + any(child.due for child in serving)
        if now >= self._start_at:
            self._children += [self._start(now) for _ in range(wanted - len(serving))]
        ready = [child for child in serving if child.ready]
        if len(ready) > self._number:
            self._end(next(child for child in ready if child.due), now)
        if len(ready) >= self._number and not self._served:
            self._served = True
            self._ready()
            systemd.notify("READY=1")

    def _look(self, child: Child, now: float) -> None:
        """Take note of what has become of a worker."""
        if child.process.poll() is not None:
            self._forget(child, now)
        elif now > child.ending:
            child.process.kill()
        elif now > child.heard + (HUNG if child.ready else START_WITHIN):
            logger.error("Worker %s does not answer; it is killed.", child.process.pid)
            child.process.kill()
            child.heard = now
        elif now > child.expires and not child.due:
            child.due = True
            logger.info("Worker %s is replaced for its age.", child.process.pid)

    def _start(self, now: float) -> Child:
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        with theirs:
            fds = self._listening.fileno(), theirs.fileno()
            process = subprocess.Popen(  # noqa: S603  # this command itself
                [sys.executable, *sys.orig_argv[1:]],
                env={**os.environ, VARIABLE: ",".join(map(str, fds))},
                stdin=subprocess.DEVNULL,
                pass_fds=fds,
                process_group=0,  # Ctrl+C is for the supervisor alone
            )
        child = Child(process, ours, now, now + below(self._max_age) if self._max_age else inf)
        self._selector.register(ours, selectors.EVENT_READ, lambda: self._hear(child))
        return child

    def _hear(self, child: Child) -> None:
        """Take what a worker says; silence forever means that it has ended, or is about to."""
        try:
            words = child.link.recv(4_096)
        except OSError:
            words = b""
        if not words:
            self._selector.unregister(child.link)
            child.link.close()
            return
        child.heard = time.monotonic()
        child.ready = True
        if REPLACE in words and not child.due:
            child.due = True
            logger.info("Worker %s has served its requests and is replaced.", child.process.pid)

    def _end(self, child: Child, now: float) -> None:
        """Have a worker send bye to its clients and end."""
        child.ending = min(child.ending, now + END_WITHIN)
        child.process.terminate()

    def _forget(self, child: Child, now: float) -> None:
        """Let go of a worker that has ended; if nobody told it to, the next one waits a little."""
        if child.link.fileno() != -1:
            self._selector.unregister(child.link)
            child.link.close()
        self._children.remove(child)
        if child.ending != inf:
            return
        status = _status(child.process.returncode)
        if not self._served and not child.ready:
            logger.error("Worker %s could not start (%s).", child.process.pid, status)
            self._failed = True
            self._stop(now)
            return
        self._crashes = self._crashes + 1 if now < self._crashed + STABLE else 1
        self._crashed = now
        wait = min(LONGEST_WAIT, 0.5 * 2 ** (self._crashes - 1)) * random.uniform(0.5, 1)
        self._start_at = now + wait
        logger.error("Worker %s ended (%s); another one starts in %.1f s.", child.process.pid, status, wait)

    def _stop(self, now: float) -> None:
        """Accept no more connections, and have all workers end."""
        self._stopping = True
        systemd.notify("STOPPING=1")
        self._listening.close()
        for child in self._children:
            self._end(child, now)

    def _act_on_signals(self) -> None:
        now = time.monotonic()
        while self._signals:
            number = self._signals.pop(0)
            if number == signal.SIGHUP:
                for child in self._children:
                    child.due = True
            elif self._stopping:  # a second signal: at once
                for child in self._children:
                    child.process.kill()
            else:
                self._stop(now)

    @contextmanager
    def _hearing_signals(self) -> Iterator[None]:
        """Let signals wake the loop, which acts on them, while the context lasts."""
        awake, wake = socket.socketpair()
        for sock in (awake, wake):
            sock.setblocking(False)
        self._selector.register(awake, selectors.EVENT_READ, lambda: _drop(awake))

        def remember(number: int, frame: FrameType | None) -> None:
            self._signals.append(number)

        with awake, wake, ExitStack() as restoring:
            restoring.callback(signal.set_wakeup_fd, signal.set_wakeup_fd(wake.fileno()))
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                restoring.callback(signal.signal, number, signal.signal(number, remember))
            yield


def _drop(sock: socket.socket) -> None:
    with suppress(BlockingIOError):
        sock.recv(4_096)


def _status(returncode: int) -> str:
    """Return how a process ended, for people."""
    if returncode >= 0:
        return f"status {returncode}"
    with suppress(ValueError):
        return signal.Signals(-returncode).name
    return f"signal {-returncode}"
