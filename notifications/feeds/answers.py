"""Texts that grow before the reader's eyes: AI answers, logs of a build, transcripts.

The text is one row, written a few times a second, so that a reload and a killed server lose nothing that was shown and
a tab that is opened in the middle gets the whole text at once.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Final

from asgiref.sync import sync_to_async
from django.core.exceptions import ValidationError
from django.db import connections
from django.utils.translation import gettext as _

from ..live import relay
from ..live.messages import Message, handles
from ..live.periodic import periodic
from ..twins import twin
from . import texts
from .registry import find
from .texts import TEXT_LENGTH, Gone, Handle, State

FLUSH = 0.2  # seconds between two writes of a text: five frames a second are read as a flow
LISTEN = 0.5  # seconds between two looks whether somebody has asked a silent writer to stop
SWEEP = 5.0  # seconds between two looks for writers that are gone

_writing: dict[int, Callable[[], None]] = {}  # how to stop those who write in this process, by event


class StopRequested(Message, frozen=True, tag="stop"):
    """Somebody asks the writer of a text to stop."""

    pk: int


class Stopped(Exception):
    """A reader has asked to stop: leave the ``with`` block; what was written stays."""


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
        then: Callable[[str], Any] | None = None,
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
        self._feed = find(feed)
        self._arguments = (self._feed, event, dict(data or {}), "" if by is None else str(by.pk))
        self._then = then
        self._writer: Writer | AsyncWriter | None = None

    async def __aenter__(self) -> AsyncWriter:
        handle = await sync_to_async(texts.begin)(*self._arguments)
        self._writer = writer = AsyncWriter(handle)
        writer.start()
        return writer

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        writer = self._writer
        assert isinstance(writer, AsyncWriter)
        return await writer.finish(error, self._then)

    def __enter__(self) -> Writer:
        self._writer = writer = Writer(texts.begin(*self._arguments))
        writer.start()
        return writer

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        assert isinstance(self._writer, Writer)
        return self._writer.finish(error, self._then)


class _Text:
    """What was written so far, and what of it is still to be stored."""

    def __init__(self, handle: Handle) -> None:
        self.id: Final = handle.pk
        self.handle = handle
        self.stopped = False
        self.pending: list[str] = []
        self.parts: list[str] = []
        self.length = 0  # characters stored
        self.written = 0  # characters in all

    def add(self, text: str) -> None:
        if self.written + len(text) > TEXT_LENGTH:
            raise ValidationError(_("A text that grows has at most %(limit)s characters.") % {"limit": TEXT_LENGTH})
        if "\x00" in text:
            text = text.replace("\x00", "\ufffd")  # no database stores it, and the writer is a machine
        self.pending.append(text)
        self.parts.append(text)
        self.written += len(text)

    def flush(self, state: State = State.WRITING, error: str = "") -> bool:
        piece, self.pending = "".join(self.pending), []
        stop = texts.grow(self.handle, piece, self.length, state, error)
        self.length += len(piece)
        return stop

    @property
    def text(self) -> str:
        return "".join(self.parts)


class Writer:
    """Writes a text from blocking code."""

    def __init__(self, handle: Handle) -> None:
        """Begin with nothing."""
        self._text = _Text(handle)
        self._lock = threading.Lock()
        self._at = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._keep_alive, name="notifications-answer", daemon=True)

    @property
    def id(self) -> int:
        """The event's id, by which it is stopped."""
        return self._text.id

    @property
    def stopped(self) -> bool:
        """Whether somebody has asked to stop."""
        return self._text.stopped

    def append(self, text: str) -> None:
        """Write on.

        Raises:
            Stopped: Somebody has asked to stop.
            ValidationError: The text would have more than 128 × 1,024 characters.
        """
        if self._text.stopped:
            raise Stopped
        with self._lock:
            self._text.add(text)
            if time.monotonic() - self._at >= FLUSH:
                self._at = time.monotonic()
                self._text.stopped |= self._text.flush()

    def start(self) -> None:
        """Renew the lease from now on."""
        _writing[self.id] = self._stop
        self._thread.start()

    def finish(self, error: BaseException | None, then: Callable[[str], Any] | None) -> bool:
        """End the text; return whether the exception ends here."""
        self._over.set()
        self._thread.join()
        _writing.pop(self.id, None)
        return _end(self._text, error, then)

    def _stop(self) -> None:
        self._text.stopped = True

    def _keep_alive(self) -> None:
        try:
            while not self._over.wait(LISTEN):
                with self._lock:
                    self._text.stopped |= (
                        self._text.flush() if self._text.pending else texts.keep_alive(self._text.handle)
                    )
        except Gone:
            self._text.stopped = True
        finally:
            connections.close_all()


class AsyncWriter:
    """Writes a text from a task."""

    def __init__(self, handle: Handle) -> None:
        """Begin with nothing; the task that runs is the one that a stop ends."""
        task = asyncio.current_task()
        assert task is not None
        self._text = _Text(handle)
        self._task = task
        self._cancelling = task.cancelling()
        self._loop = asyncio.get_running_loop()
        self._wake = asyncio.Event()
        self._keeper: asyncio.Task[None] | None = None

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
        self._wake.set()

    def start(self) -> None:
        """Store what is written, renew the lease and listen, from now on."""
        _writing[self.id] = self._stop_soon
        self._keeper = self._loop.create_task(self._keep())

    async def finish(self, error: BaseException | None, then: Callable[[str], Any] | None) -> bool:
        """End the text; return whether the exception ends here."""
        _writing.pop(self.id, None)
        assert self._keeper is not None
        self._keeper.cancel()
        await asyncio.gather(self._keeper, return_exceptions=True)
        if self._text.stopped and isinstance(error, asyncio.CancelledError):
            if self._task.uncancel() > self._cancelling:
                return await sync_to_async(_end)(self._text, error, then)
            error = Stopped()
        return await sync_to_async(_end)(self._text, error, then)

    def _stop_soon(self) -> None:
        self._loop.call_soon_threadsafe(self._stop)

    def _stop(self) -> None:
        if not self._text.stopped:
            self._text.stopped = True
            self._task.cancel()

    async def _keep(self) -> None:
        while True:
            try:
                async with asyncio.timeout(LISTEN):
                    await self._wake.wait()
            except TimeoutError:
                pass
            self._wake.clear()
            try:
                writing = asyncio.ensure_future(sync_to_async(self._store)())
                stop = await asyncio.shield(writing)
            except asyncio.CancelledError:
                await writing  # what is on its way ends before the end is written
                raise
            except Gone:
                stop = True
            if stop:
                self._stop()
                return
            await asyncio.sleep(FLUSH)

    def _store(self) -> bool:
        return self._text.flush() if self._text.pending else texts.keep_alive(self._text.handle)


def _end(text: _Text, error: BaseException | None, then: Callable[[str], Any] | None) -> bool:
    """Store the end of a text; return whether the exception that ended it goes no further."""
    try:
        if isinstance(error, Stopped) or (error is None and text.stopped):
            text.flush(State.STOPPED)
            return True
        if error is not None:
            text.flush(State.FAILED, _("The answer could not be written to its end."))
            return False
        if then is not None:
            then(text.text)
        text.flush(State.DONE)
    except Gone:
        return isinstance(error, Stopped)
    except Exception:
        text.flush(State.FAILED, _("The answer could not be written to its end."))
        raise
    return False


def stop_answer(event_id: int) -> bool:
    """Ask the writer of a growing text to stop, in whatever process it runs.

    Args:
        event_id: The `id` of the text's event.

    Returns:
        Whether it was still writing.
    """
    asked = texts.request_stop(event_id)
    if asked:
        _stop_here(event_id)
        relay.post(StopRequested(event_id))
    return asked


astop_answer = twin(stop_answer)


@handles(StopRequested)
def _on_stop(_relay: Any, message: StopRequested) -> None:
    _stop_here(message.pk)


def _stop_here(pk: int) -> None:
    if (stop := _writing.get(pk)) is not None:
        stop()


@periodic
def end_abandoned() -> float | None:
    """Say of texts whose writers are gone that they failed."""
    texts.end_abandoned()
    return SWEEP
