"""Texts that grow before the reader's eyes: AI answers, logs of a build, transcripts.

The text is one row, written a few times a second, so that a reload and a killed server lose nothing that was shown and
a tab that is opened in the middle gets the whole text at once.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Final

from asgiref.sync import sync_to_async
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from .. import tenants
from ..exceptions import Stopped
from ..live import keeping
from ..live.keeping import Over, TaskKeeper, ThreadKeeper
from ..live.leases import ends_abandoned
from ..live.periodic import periodic
from ..live.transactions import after_commit
from ..twins import twin
from ..validators import storable
from . import texts
from .registry import find
from .stream import FEED
from .texts import TEXT_LENGTH, Handle, State

WRITE_EVERY = 0.2  # seconds between two writes of a text: five frames a second are read as a flow
LISTEN_EVERY = 0.5  # seconds after which a silent writer looks whether somebody has asked it to stop
ANSWER_SWEEP = 5.0  # seconds between two looks for writers that are gone

Then = Callable[[str], Any]


class answer:  # noqa: N801  # read as a verb: `async with answer(feed) as a`
    """Write a text that grows in a feed.

    Like this::

        async with answer("chat:7", by=request.user) as a:
            async for token in model.stream(question):
                await a.append(token)

    When somebody asks it to stop, the block is left within a second, at whatever it awaits, and the text says that it
    was stopped. If the block raises, the text says that it failed, and the exception goes on. If the process is killed,
    another one says so within seconds. ``with`` works too, outside of event loops; a blocking writer is stopped at its
    next ``append``.
    """

    def __init__(
        self,
        feed: str,
        *,
        by: Any = None,
        event: str = "text",
        data: Mapping[str, Any] | None = None,
        then: Then | None = None,
    ) -> None:
        """Describe the text.

        Args:
            feed: The name of a feed that keeps something.
            by: The user for whom it is written, who may stop it; None for nobody but your own code.
            event: What kind of event it is, for your own front end.
            data: More about it, for your own front end, as in `publish`.
            then: Called in a thread with the whole text when it is done; it may post it as a message of the chat, for
                example. It is not called for a text that was stopped or failed.

        Raises:
            UnknownFeed: Nobody has declared the feed.
        """
        self._arguments = (find(feed), event, dict(data or {}), "" if by is None else str(by.pk))
        self._then = then
        self._writer: Writer | None = None
        self._async_writer: AsyncWriter | None = None

    async def __aenter__(self) -> AsyncWriter:
        """Store an empty text and begin."""
        self._async_writer = AsyncWriter(await sync_to_async(texts.begin)(*self._arguments))
        self._async_writer.start()
        return self._async_writer

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        """Store the end; an exception ends here if it is that of a stop."""
        assert self._async_writer is not None
        return await self._async_writer.finish(error, self._then)

    def __enter__(self) -> Writer:
        """Store an empty text and begin."""
        self._writer = Writer(texts.begin(*self._arguments))
        self._writer.start()
        return self._writer

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        """Store the end; an exception ends here if it is that of a stop."""
        assert self._writer is not None
        return self._writer.finish(error, self._then)


class _Text:
    """What was written so far, and what of it is still to be stored. Written by one thread, stored by another."""

    def __init__(self, handle: Handle) -> None:
        self.id: Final = handle.pk
        self.work: Final = handle.work
        self.stopped = False
        self._handle = handle
        self._lock = threading.Lock()
        self._storing = threading.Lock()  # one piece after the other
        self._pending: list[str] = []
        self._parts: list[str] = []
        self._written = 0  # characters
        self._stored = 0  # characters

    def add(self, text: str) -> None:
        if self._written + len(text) > TEXT_LENGTH:
            raise ValidationError(_("A text that grows has at most %(limit)s characters.") % {"limit": TEXT_LENGTH})
        text = storable(text)
        with self._lock:
            self._pending.append(text)
        self._parts.append(text)
        self._written += len(text)

    def store(self) -> bool:
        """Store what is pending, or renew the lease; return whether somebody has asked to stop."""
        try:
            with tenants.activate(self._handle.tenant):
                return self.flush() if self._pending else texts.keep_alive(self._handle)
        except Over:
            return True

    def flush(self, state: State = State.WRITING, error: str = "") -> bool:
        """Store what is pending, with a state; return whether the writer is to stop."""
        with self._storing:
            with self._lock:
                piece, self._pending = "".join(self._pending), []
            try:
                with tenants.activate(self._handle.tenant):
                    stop = texts.grow(self._handle, piece, self._stored, state, error)
            except Over:  # somebody else has said how it ended: there is nothing more to write
                return True
            except BaseException:
                with self._lock:
                    self._pending.insert(0, piece)  # else the text would have a hole
                raise
            self._stored += len(piece)
        return stop

    def end(self, error: BaseException | None, then: Then | None) -> bool:
        """Store the end of the text; return whether the exception that ended it goes no further."""
        stopped = isinstance(error, Stopped) or (error is None and self.stopped)
        if stopped:
            self.flush(State.STOPPED)
        elif error is not None:
            self.flush(State.FAILED, _("The answer could not be written to its end."))
        else:
            self._finish(then)
        return isinstance(error, Stopped)

    def _finish(self, then: Then | None) -> None:
        if then is not None:
            if self.store():  # asked to stop at the last moment, or ended by somebody else
                self.flush(State.STOPPED)
                return
            try:
                then("".join(self._parts))
            except Exception:
                self.flush(State.FAILED, _("The answer could not be written to its end."))
                raise
        self.flush(State.DONE)


class Writer:
    """Writes a text from blocking code."""

    def __init__(self, handle: Handle) -> None:
        """Begin with nothing."""
        self._text = _Text(handle)
        self._keeper = ThreadKeeper(self._text.store, self._stop, pause=WRITE_EVERY, idle=LISTEN_EVERY)

    @property
    def id(self) -> int:
        """The event's id, by which it is stopped."""
        return self._text.id

    @property
    def stopped(self) -> bool:
        """Whether somebody has asked to stop."""
        return self._text.stopped

    def append(self, text: str) -> None:
        """Write on; the text is stored a few times a second.

        Raises:
            Stopped: Somebody has asked to stop: leave the block.
            ValidationError: The text would have more than 128 × 1,024 characters.
        """
        if self._text.stopped:
            raise Stopped
        self._text.add(text)
        self._keeper.changed()

    def flush(self) -> None:
        """Store now what was written."""
        self._text.stopped |= self._text.flush()

    def start(self) -> None:
        """Store what is written, renew the lease and listen, from now on."""
        keeping.listen(self._text.work, self._stop)
        self._keeper.start()

    def finish(self, error: BaseException | None, then: Then | None) -> bool:
        """End the text; return whether the exception ends here."""
        keeping.forget(self._text.work)
        self._keeper.end()
        return self._text.end(error, then)

    def _stop(self) -> None:
        self._text.stopped = True


class AsyncWriter:
    """Writes a text from a task."""

    def __init__(self, handle: Handle) -> None:
        """Begin with nothing; the task that runs is the one that a stop ends."""
        task = asyncio.current_task()
        assert task is not None
        self._text = _Text(handle)
        self._task = task
        self._cancelling = task.cancelling()
        self._cancelled = False  # by us
        self._left = False  # the block
        self._loop = asyncio.get_running_loop()
        self._keeper = TaskKeeper(self._text.store, self._stop, pause=WRITE_EVERY, idle=LISTEN_EVERY)

    @property
    def id(self) -> int:
        """The event's id, by which it is stopped."""
        return self._text.id

    @property
    def stopped(self) -> bool:
        """Whether somebody has asked to stop."""
        return self._text.stopped

    async def append(self, text: str) -> None:
        """Write on; the text is stored a few times a second.

        Raises:
            ValidationError: The text would have more than 128 × 1,024 characters.
        """
        self._text.add(text)
        self._keeper.changed()

    async def flush(self) -> None:
        """Store now what was written."""
        if await sync_to_async(self._text.flush)():
            self._stop()
            await asyncio.sleep(0)  # where it ends, and not behind the block

    def start(self) -> None:
        """Store what is written, renew the lease and listen, from now on."""
        keeping.listen(self._text.work, self._stop_soon)
        self._keeper.start()

    async def finish(self, error: BaseException | None, then: Then | None) -> bool:
        """End the text; return whether the exception ends here."""
        self._left = True
        keeping.forget(self._text.work)
        if self._cancelled and self._task.uncancel() <= self._cancelling and isinstance(error, asyncio.CancelledError):
            # As `asyncio.timeout` does: the cancellation was ours, and nobody else has asked for one too.
            error = Stopped()
        return await keeping.finish(self._end(error, then))

    async def _end(self, error: BaseException | None, then: Then | None) -> bool:
        await self._keeper.end()
        return await sync_to_async(self._text.end)(error, then)

    def _stop_soon(self) -> None:
        self._loop.call_soon_threadsafe(self._stop)

    def _stop(self) -> None:
        self._text.stopped = True
        if not (self._cancelled or self._left):
            self._cancelled = True
            self._task.cancel()


def stop_answer(event_id: int) -> bool:
    """Ask the writer of a growing text to stop, in whatever process it runs.

    Args:
        event_id: The `id` of the text's event.

    Returns:
        Whether it was still writing.
    """
    asked = texts.request_stop(event_id)
    if asked:
        after_commit(lambda: keeping.ask_to_stop(texts.work_of(event_id)), FEED.alias)
    return asked


astop_answer = twin(stop_answer)


@periodic
@ends_abandoned
def end_abandoned() -> float | None:
    """Say of texts whose writers are gone that they failed."""
    texts.end_abandoned()
    return ANSWER_SWEEP
