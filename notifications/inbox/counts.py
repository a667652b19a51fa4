"""How many notifications are unread and unseen, counted for many users in one query."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
from django.db import models, router
from django.db.models import Case, Count, IntegerField, When

from ..live.statements import NOW, CompiledSelect
from ..models import Notification


class Counts(msgspec.Struct, frozen=True):
    """How many notifications of a user are unread, and how many of those the user has not seen yet."""

    unread: int = 0
    unseen: int = 0


def _countable() -> models.QuerySet[Any]:
    """Return the rows to be counted, by recipient."""
    unseen = Count(Case(When(seen_at__isnull=True, then=1), output_field=IntegerField()))
    rows = Notification.objects.unread().visible(NOW).order_by()
    return rows.values("recipient_id").annotate(unread=Count("id"), unseen=unseen)


_COUNTS = CompiledSelect(_countable, "recipient_id", "unread", "unseen")


def counts(pks: Iterable[Any], using: str | None = None) -> dict[Any, Counts]:
    """Count what is unread and unseen for each user of `pks`, with one query, in the primary database by default."""
    pks = list(pks)
    rows = _COUNTS.run(pks, using or router.db_for_write(Notification))
    found = {pk: Counts(unread, unseen) for pk, unread, unseen in rows}
    return {pk: found.get(pk, Counts()) for pk in pks}
