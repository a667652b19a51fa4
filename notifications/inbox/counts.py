"""How many notifications are unread and unseen, counted for many users in one query."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec
from django.contrib.auth import get_user_model
from django.db import connections, models, router
from django.db.models import Case, Exists, IntegerField, OuterRef, Subquery, Value, When

from ..live.statements import NOW, CompiledSelect, CompiledStatement, In, Parameter, select
from ..models import Notice, Notification
from ..models.inbox import NotificationQuerySet

COUNTED = 100  # at most; a bell says "99+", and whoever has 20,000 unread ones must not pay for all on every page


class Counts(msgspec.Struct, frozen=True):
    """How many notifications of a user are unread, and how many of those the user has not seen yet.

    Both are counted up to `COUNTED`, which so means "that many or more".
    """

    unread: int = 0
    unseen: int = 0


class _Numbers(Subquery):
    """How many rows a query with a limit returns, how many of them are unseen, and how many will expire.

    One pass, and three digits for each: a query for each would look at every unread notification anew.
    """

    template = (
        "(SELECT COUNT(*) * 1000000 + COUNT(counted.unseen) * 1000 + COUNT(counted.ending) FROM (%(subquery)s) counted)"
    )
    output_field = IntegerField()


class _UpTo(Subquery):
    """How many rows a query with a limit returns."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) counted)"
    output_field = IntegerField()


def _numbers(rows: NotificationQuerySet) -> _Numbers:
    unseen = Case(When(seen_at=None, then=1), output_field=IntegerField())
    ending = Notice.objects.filter(pk=OuterRef("notice_id"), expires_at__isnull=False).annotate(one=Value(1))
    told = rows.unread().annotate(unseen=unseen, ending=Subquery(ending.values("one")))
    return _Numbers(told.values("unseen", "ending")[:COUNTED])


def _unseen(rows: NotificationQuerySet) -> _UpTo:
    return _UpTo(rows.unseen().values("pk")[:COUNTED])


def _users() -> models.QuerySet[Any]:
    """Return the users, each with whether a notification of theirs waits for its position."""
    waiting = Notification.objects.filter(recipient=OuterRef("pk"), modseq=None)
    users: models.QuerySet[Any] = get_user_model()._base_manager.annotate(waiting=Exists(waiting))
    return users


class _CompiledCounts(CompiledSelect):
    """A count by recipient, made of at most `COUNTED` entries of an index, and where the inbox is at that moment."""

    def __init__(self, counted: Callable[[NotificationQuerySet], Subquery]) -> None:
        """Take what counts some rows of a user."""
        super().__init__(_users, "pk", "counted", "carillon_inbox__head", "waiting")
        self._of = counted

    def _compile(self, alias: str, keys: Sequence[Parameter]) -> CompiledStatement:
        if connections[alias].vendor == "mysql":
            # MariaDB lets no table within a subquery depend on the row outside: each user's key is written into it.
            shown = Notification.objects.visible(NOW).order_by()
            first, *rest = (self._counted([key], shown.filter(recipient=key)) for key in keys)
            return select(first.union(*rest, all=True) if rest else first, self._columns, None, alias)
        # PostgreSQL estimates how many rows a user has and, where it is wrong, reads whole tables until it has found a
        # hundred. A range with its order, and a condition that is asked of each row, leave it the index alone.
        rows = Notification.objects.filter(Notice.objects.visible(NOW).asked())
        rows = rows.filter(recipient__gte=OuterRef("pk"), recipient__lte=OuterRef("pk"))
        return select(self._counted(keys, rows.order_by("recipient_id", "-rank", "-pk")), self._columns, None, alias)

    def _counted(self, keys: Sequence[Parameter], rows: NotificationQuerySet) -> models.QuerySet[Any]:
        users: models.QuerySet[Any] = self._rows().filter(In("pk", keys)).annotate(counted=self._of(rows))
        return users.values_list(*self._columns)


_NUMBERS = _CompiledCounts(_numbers)
_UNSEEN = _CompiledCounts(_unseen)


def counts(pks: Iterable[Any], using: str | None = None) -> dict[Any, Counts]:
    """Count what is unread and unseen for each user of `pks`, in the primary database by default.

    One query, whose price has a bound; and one more for those who have more unread notifications than are counted, and
    have seen some of the newest: older ones may be unseen.
    """
    return {pk: numbers for pk, (numbers, _position) in counts_at(pks, using).items()}


def counts_at(pks: Iterable[Any], using: str | None = None) -> dict[Any, tuple[Counts, int | None]]:
    """Count, as `counts` does, and say for each user at which position of the inbox that holds, if at any.

    It holds at none where something that was counted will expire, or may have been counted before it has its position.
    """
    pks = list(pks)
    alias = using or router.db_for_write(Notification)
    found: dict[Any, tuple[Counts, int | None]] = {}
    for pk, numbers, head, waiting in _NUMBERS.run(pks, alias):
        unread, rest = divmod(numbers, 1_000_000)
        unseen, ending = divmod(rest, 1_000)
        found[pk] = Counts(unread, unseen), None if ending or waiting else head
    if many := [pk for pk, (one, _position) in found.items() if one.unread == COUNTED > one.unseen]:
        found |= {pk: (Counts(COUNTED, unseen), None) for pk, unseen, *_place in _UNSEEN.run(many, alias)}
    nobody = Counts(), None
    return {pk: found.get(pk, nobody) for pk in pks}
