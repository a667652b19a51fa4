"""A server's database work, done in the test's own thread: by its connections, and so within its transaction."""

from __future__ import annotations

import asyncio
import contextvars
from collections import deque
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any, ClassVar, ParamSpec, TypeVar

from asgiref.sync import sync_to_async
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.test import TestCase

from ..inbox.stream import INBOX
from ..live import relay
from ..live.relay import Relay

P = ParamSpec("P")
R = TypeVar("R")

Job = Callable[[], None]
Run = Callable[[Job], None]  # has a job done, some time later


@contextmanager
def committing() -> Iterator[None]:
    """Do at the end what waits for the commit of what is done in the context, also in a `TestCase`, which has none."""
    with TestCase.captureOnCommitCallbacks(using=INBOX.alias, execute=True):
        yield


@contextmanager
def _connections_stay() -> Iterator[None]:
    """Keep requests from closing the test's connections when they begin and end, as Django's test client does."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    try:
        yield
    finally:
        for signal in signals:
            signal.connect(close_old_connections)


class InlinePool:
    """A pool without threads of its own: each piece of work is done in the test's."""

    def __init__(self, run: Run) -> None:
        """Take the function that has a job done in the test's thread."""
        self._run = run

    def submit(self, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        """Have `function` run; its result or exception is the future's."""
        future: Future[R] = Future()

        def job() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                with committing(), _connections_stay():
                    result = function(*args, **kwargs)
            except BaseException as error:  # noqa: BLE001  # it is the future's
                future.set_exception(error)
            else:
                future.set_result(result)

        # A server's thread knows nothing of the language and the time zone that the test has activated.
        self._run(lambda: contextvars.Context().run(job))
        return future

    async def do(self, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Have `function` run, and return its result."""
        return await asyncio.wrap_future(self.submit(function, *args, **kwargs))

    def close(self, *, wait: bool = True) -> None:
        """Do nothing: the connections are the test's."""


class Tasks:
    """For an asynchronous test: jobs are done where its own ``sync_to_async`` does them."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Prepare for jobs that are asked for in `loop`."""
        self._loop = loop
        self._context = contextvars.copy_context()  # not that of a job from which another one comes
        self._working: set[asyncio.Task[None]] = set()

    def run(self, job: Job) -> None:
        """Have a job done."""
        self._loop.call_soon_threadsafe(self._start, job)

    async def finish(self) -> None:
        """Return when all jobs are done."""
        while self._working:
            await asyncio.wait(self._working)

    def _start(self, job: Job) -> None:
        task = self._loop.create_task(sync_to_async(job)(), context=self._context.copy())
        self._working.add(task)
        task.add_done_callback(self._working.discard)


def _is_running() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


class DrivenLoop:
    """For a synchronous test: an event loop in its thread, which stands still unless the test waits for something.

    Django refuses database work where a loop is running. So this one stops for each job, and then goes on.
    """

    def __init__(self) -> None:
        """Make the loop.

        Raises:
            RuntimeError: Another one runs in this thread.
        """
        if _is_running():
            raise RuntimeError("An event loop is running here already: use `async with LiveClient(…)`.")
        self.loop = asyncio.new_event_loop()
        self._jobs: deque[Job] = deque()

    def run(self, job: Job) -> None:
        """Have a job done."""
        self._jobs.append(job)
        self.loop.call_soon_threadsafe(self.loop.stop)

    def wait_for(self, coroutine: Coroutine[Any, Any, R]) -> R:
        """Let the loop run until a coroutine has ended, and return its result."""
        task = self.loop.create_task(coroutine)
        task.add_done_callback(lambda _task: self.loop.stop())
        while not task.done():
            while self._jobs:
                self._jobs.popleft()()
            self.loop.run_forever()
        return task.result()

    def close(self) -> None:
        """End all that the loop was at."""
        self.wait_for(_end(asyncio.all_tasks(self.loop)))
        self.loop.close()


async def _end(tasks: set[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await asyncio.get_running_loop().shutdown_asyncgens()


class Serving:
    """A relay for the open pages of one event loop: the first one starts it, the last one ends it."""

    _of: ClassVar[dict[asyncio.AbstractEventLoop, Serving]] = {}

    def __init__(self, loop: asyncio.AbstractEventLoop, run: Run) -> None:
        """Prepare to serve `loop`, with jobs that `run` has done."""
        self._pages = 0
        self._loop = loop
        self._context = relay.serving(Relay(loop, lambda _size, _name: InlinePool(run), alone=True))

    @classmethod
    async def begin(cls, run: Run) -> Serving | None:
        """Serve one page more in the running loop; where something else in the test serves it already, None."""
        loop = asyncio.get_running_loop()
        serving = cls._of.get(loop)
        if serving is None:
            if relay.serves(loop):
                return None
            serving = cls._of[loop] = cls(loop, run)
            await serving._context.__aenter__()
        serving._pages += 1
        return serving

    async def end(self) -> None:
        """Serve one page less."""
        self._pages -= 1
        if not self._pages:
            del self._of[self._loop]
            await self._context.__aexit__(None, None, None)
