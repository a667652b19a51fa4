"""What was sent while a block ran: read from the database, where the code under test has really stored it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import TracebackType
from typing import Any

from asgiref.sync import sync_to_async
from django.contrib.auth import get_user_model
from django.core.exceptions import SynchronousOnlyOperation
from django.db.models import Max, Q
from django.utils.functional import Promise

from ..annotations import User
from ..audiences import people
from ..inbox.stream import INBOX
from ..kinds import Kind
from ..kinds.rendering import kinds_of
from ..models import Broadcast, Notice, Notification
from ..models.inbox import SCHEDULED
from .describing import Expected, Sending, times

NAMED = 20  # recipients whom a message calls by name


Waiting = Mapping[int, frozenset[Any]]  # recipients by the notice


class Sent:
    """What was sent while a block of `captured` ran, as it was stored in the end.

    What a rolled back transaction or savepoint had sent does not count, nor what was withdrawn within the block, what
    a dedupe key has kept from being sent again, or what reached nobody. A broadcast counts for all members of its
    audience once it is sent, whether or not they have visited since. What has a time to be sent at, a broadcast or a
    notification, counts when it falls due, also where it was written before the block.
    """

    def __init__(self, after: int, waiting: Waiting) -> None:
        """Begin behind the notice with the primary key `after`, and with those that are `waiting` for their time."""
        self._after = after
        self._waiting = waiting
        self._sendings: Sequence[Sending] | None = None
        self._names: dict[Any, str] = {}

    @property
    def notices(self) -> list[Notice]:
        """All notices, in the order of sending."""
        return [sending.notice for sending in self._read()]

    def to(self, user: User) -> list[Notice]:
        """Return the notices that reached a user, in the order of sending."""
        return [sending.notice for sending in self._read() if user.pk in sending.recipients]

    def assert_notified(
        self,
        user: User,
        what: str | Promise | type[Kind] | Kind | None = None,
        /,
        *,
        count: int = 1,
        **expected: Any,
    ) -> None:
        """Assert that a user was notified of something, as many times as you say.

        Args:
            user: The recipient.
            what: A kind, an instance of one with all its facts, or a title; None for anything.
            count: How many matching notifications there must be, no more and no fewer.
            expected: What else they must have: facts of the kind, where a model instance may be given by its key; and
                what is stored with every notification: ``title``, ``body``, ``url``, ``level``, ``kind``,
                ``category``, ``actor``, ``data``, ``expires_at``. Of a kind, the texts are those in ``LANGUAGE_CODE``.

        Raises:
            AssertionError: There are more or fewer; the message says what was sent instead.
            TypeError: There is no such fact or field.
        """
        __tracebackhide__ = True
        wanted = Expected.of(what, expected)
        mine = [one for one in self._read() if user.pk in one.recipients]
        found = [one for one in mine if not wanted.differences(one)]
        if len(found) != count:
            asked = f"{user} was notified {times(len(found))}, not {times(count)}, of {wanted}."
            raise AssertionError("\n".join([asked, *self._instead(user, mine, wanted, found)]))

    def assert_nothing_notified(self, user: User | None = None) -> None:
        """Assert that a user was notified of nothing; without one, that nobody was notified.

        Raises:
            AssertionError: Something was sent; the message lists it.
        """
        __tracebackhide__ = True
        sendings = [one for one in self._read() if user is None or user.pk in one.recipients]
        if sendings:
            who = "Somebody" if user is None else str(user)
            raise AssertionError("\n".join([f"{who} was notified of:", *self._listed(sendings, to=user is None)]))

    def _instead(
        self, user: User, mine: Sequence[Sending], wanted: Expected, found: Sequence[Sending]
    ) -> Iterable[str]:
        """Say what was sent to the user and, if that does not explain it, to whom else."""
        sendings = self._read()
        if not sendings:
            yield "Nothing was sent to anybody."
            return
        if mine:
            yield f"In all, {user} was notified of:"
            yield from self._listed(mine)
            if not found:
                yield from wanted.nearest(mine)
            return
        yield f"{user} was notified of nothing. To others were sent:"
        yield from self._listed(sendings, to=True)

    def _listed(self, sendings: Iterable[Sending], *, to: bool = False) -> Iterable[str]:
        for number, sending in enumerate(sendings, 1):
            yield f"  {number}. {sending}" + (f", to {self._called(sending.recipients)}" if to else "")

    def _called(self, recipients: frozenset[Any]) -> str:
        named = [self._names[pk] for pk in sorted(recipients) if pk in self._names][:NAMED]
        return ", ".join(named) + (f" and {more} more" if (more := len(recipients) - len(named)) else "")

    def _read(self) -> Sequence[Sending]:
        if self._sendings is not None:
            return self._sendings
        try:
            sendings = _stored_after(self._after, self._waiting)
            self._names = _names(pk for one in sendings for pk in sorted(one.recipients))
        except SynchronousOnlyOperation as error:
            message = "Ask what was sent after the block of `async with captured()`: within it, that is a query."
            raise SynchronousOnlyOperation(message) from error
        return sendings

    def _close(self) -> None:
        self._sendings = self._read()


class captured:  # noqa: N801  # read as a verb: `with captured() as sent`
    """Collect what is sent while a block runs.

    Like this, or with ``async with`` in an asynchronous test::

        with captured() as sent:
            ship(order)
        sent.assert_notified(alice, "Order 7 has shipped")

    The code runs as always: rows are stored and, where your test commits, open pages hear of them. It works within
    `TestCase`, which never commits, and also collects what threads have stored. Blocks may be nested. `Sent` says what
    counts.
    """

    _sent: Sent

    def __enter__(self) -> Sent:
        """Begin."""
        newest = Notice.objects.using(INBOX.alias).aggregate(newest=Max("pk"))["newest"]
        self._sent = Sent(newest or 0, _waiting())
        return self._sent

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Read what was sent; not if the block has raised, which may have broken its transaction."""
        if error is None:
            self._sent._close()

    async def __aenter__(self) -> Sent:
        """Begin."""
        return await sync_to_async(self.__enter__)()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Read what was sent."""
        await sync_to_async(self.__exit__)(kind, error, trace)


def _waiting() -> Waiting:
    """Read what waits for its time, and for whom."""
    copies = Notification.objects.using(INBOX.alias).filter(folded_into=SCHEDULED, notice__recalled_at=None)
    found: dict[int, set[Any]] = {}
    for notice, recipient in copies.values_list("notice_id", "recipient_id"):
        found.setdefault(notice, set()).add(recipient)
    return {notice: frozenset(recipients) for notice, recipients in found.items()}


def _stored_after(after: int, waiting: Waiting) -> list[Sending]:
    """Read the notices after one, and of those that were waiting, that reached somebody, with whom."""
    alias = INBOX.alias
    recent = Notice.objects.using(alias).filter(Q(pk__gt=after) | Q(pk__in=list(waiting)), recalled_at=None)
    notices = list(recent.select_related("actor").order_by("pk"))
    if not notices:
        return []
    reached: dict[int, set[Any]] = {notice.pk: set() for notice in notices}
    copies = Notification.objects.using(alias).filter(notice__in=recent.order_by()).exclude(folded_into=SCHEDULED)
    for notice, recipient in copies.values_list("notice_id", "recipient_id"):
        if notice in reached and (notice > after or recipient in waiting[notice]):
            reached[notice].add(recipient)
    for broadcast in Broadcast.objects.using(alias).filter(notice__in=recent.order_by()):
        if broadcast.notice_id in reached:
            reached[broadcast.notice_id] |= set(
                broadcast.audience_of().select(people(alias)).values_list("pk", flat=True)
            )
    made = kinds_of(notices)
    return [Sending(one, frozenset(reached[one.pk]), made.get(one.pk)) for one in notices if reached[one.pk]]


def _names(pks: Iterable[Any]) -> dict[Any, str]:
    """Return how messages call the first of some users."""
    some = list(dict.fromkeys(pks))[:NAMED]
    users = get_user_model()._default_manager.using(INBOX.alias).in_bulk(some) if some else {}
    return {pk: str(user) for pk, user in users.items()}
