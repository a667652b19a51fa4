"""The clock: a test goes to a later time, and what falls due until then is done."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import datetime, timedelta, tzinfo
from types import TracebackType
from typing import Any, ClassVar

from asgiref.sync import sync_to_async
from django.utils import timezone

from .. import urls  # noqa: F401  # all that a server serves, with the periodic tasks of it
from ..live import frames, periodic
from .inline import committing

TURNS = 100  # of one task, as long as it asks for the next one at once
CLOCKS = (timezone, frames)  # the modules whose `datetime.now` is the time that Django and Carillon go by


class _MovedMeta(type):
    """What Django takes for a `datetime` stays one."""

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, datetime)


class _Moved(datetime, metaclass=_MovedMeta):
    """`datetime` for the modules in `CLOCKS`, where it is later than it is."""

    offset: ClassVar[timedelta] = timedelta()

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Any:
        return datetime.now(tz) + cls.offset


class travel:  # noqa: N801  # read as a verb: `with travel(hours=1)`
    """Go to a later time for a block, once what falls due until then is done.

    Like this, or with ``async with`` in an asynchronous test::

        broadcast("Maintenance at noon", to="everyone", publish_at=timezone.now() + timedelta(minutes=30))
        with travel(hours=1):
            ...  # it has been sent

    `django.utils.timezone.now()` is later from then on, in your code as in Carillon's; `time.time()` and
    `datetime.now()` are not. Time goes on from there, journeys may be nested, and the way back undoes nothing that was
    done. With time-machine or freezegun, which move every clock, call `run_due` after moving them instead.
    """

    def __init__(
        self,
        *,
        weeks: float = 0,
        days: float = 0,
        hours: float = 0,
        minutes: float = 0,
        seconds: float = 0,
        to: datetime | None = None,
    ) -> None:
        """Say how far, or where to.

        Args:
            weeks: Weeks from now.
            days: Days from now.
            hours: Hours from now.
            minutes: Minutes from now.
            seconds: Seconds from now.
            to: The time to go to, instead.

        Raises:
            ValueError: It lies in the past.
        """
        self._to = to
        self._by = timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
        self._stack = ExitStack()
        if self._distance() < timedelta():
            raise ValueError("Nobody travels to the past: what is done stays done.")

    def _distance(self) -> timedelta:
        return self._by if self._to is None else self._to - timezone.now()

    def _move(self) -> None:
        offset = _Moved.offset + self._distance()
        self._stack.callback(setattr, _Moved, "offset", _Moved.offset)
        for module in CLOCKS:
            self._stack.callback(setattr, module, "datetime", module.datetime)
            module.datetime = _Moved  # type: ignore[attr-defined]
        _Moved.offset = offset

    def __enter__(self) -> None:
        """Go there, and do what falls due until then."""
        self._move()
        try:
            run_due()
        except BaseException:
            self._stack.close()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Come back."""
        self._stack.close()

    async def __aenter__(self) -> None:
        """Go there, and do what falls due until then."""
        await sync_to_async(self.__enter__)()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Come back."""
        self._stack.close()


def run_due() -> None:
    """Do what is due by now, as servers do all by themselves: one turn of each of Carillon's periodic tasks.

    Scheduled broadcasts are sent, work whose worker is gone has failed, and feeds let go what their policies say. What
    you run by cron is not a part of it: call `prune` if you like.
    """
    for task in periodic.registered():
        for _turn in range(TURNS):
            with committing():
                wanted = task()
            if wanted is None or wanted > 0:
                break
