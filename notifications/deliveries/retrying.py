"""What staff do with deliveries: try them again, or give them up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from django.db import router
from django.db.models import Case, F, Q, QuerySet, Value, When
from django.utils import timezone

from ..live.transactions import after_commit, atomic, retried
from ..models import Delivery
from .ending import end
from .waking import wake

State = Delivery.State

GIVEN_UP: Final = "Given up by staff."

# What waits for a digest is told by that one; it is neither tried nor given up alone.
_ALONE = Q(window__isnull=True) | Q(notice__isnull=True) | Q(ended_at__isnull=False)


def retriable(rows: QuerySet[Delivery]) -> QuerySet[Delivery]:
    """Keep what can be tried again: what failed, was skipped or waits."""
    return rows.filter(_ALONE, state__in=(State.FAILED, State.SKIPPED, State.WAITING))


def waiting(rows: QuerySet[Delivery]) -> QuerySet[Delivery]:
    """Keep what can be given up: what waits."""
    return rows.filter(_ALONE, state=State.WAITING)


@retried(lambda pks: router.db_for_write(Delivery))
def try_again(pks: Sequence[Any]) -> int:
    """Have deliveries sent now, as if for the first time; return how many.

    It is decided again whether they are: what the recipient has seen, or has switched off, is skipped once more.
    """
    alias = router.db_for_write(Delivery)
    wanted = Case(When(reason=Delivery.Reason.PREFERENCE, then=Value("")), default=F("rule"))  # else it said why not
    # The rule first, for MySQL reads what it has just set.
    fresh: dict[str, Any] = {"rule": wanted, "attempts": 0, "reason": "", "error": "", "claim": "", "ended_at": None}
    with atomic(alias):
        rows = retriable(Delivery.objects.using(alias).filter(pk__in=pks))
        again = dict(**fresh, state=State.WAITING, due_at=timezone.now())
        digests = rows.filter(notice__isnull=True).update(**again)
        number = digests + retriable(rows.filter(notice__isnull=False)).update(**again, window=None)
        after_commit(wake, alias)
    return number


@retried(lambda pks: router.db_for_write(Delivery))
def give_up(pks: Sequence[Any]) -> int:
    """End deliveries that wait, as failed; return how many. What waits for a digest that is given up ends with it."""
    alias = router.db_for_write(Delivery)
    with atomic(alias):
        rows = waiting(Delivery.objects.using(alias).filter(pk__in=pks))
        digests = list(rows.filter(notice__isnull=True))
        number = end(rows, State.FAILED, reason="", error=GIVEN_UP)
        for digest in digests:
            told = Delivery.objects.using(alias).filter(
                recipient=digest.recipient_id, channel=digest.channel, device=digest.device, window=digest.window
            )
            end(told.filter(state=State.WAITING, notice__isnull=False), State.FAILED, reason="", error=GIVEN_UP)
    return number
