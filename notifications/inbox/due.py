"""What falls due: snoozed items come back, and what is to be sent later is sent."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import Case, F, Q, Value, When
from django.utils import timezone

from ..live import relay
from ..live.chunks import STREAM_CHUNK
from ..live.django_internals import delete_unread
from ..live.locks import lock_free
from ..live.periodic import periodic
from ..live.sequencer import sequence
from ..live.transactions import atomic, retried
from ..models import Notice, Notification
from ..models.inbox import SCHEDULED, UNPLACED, NotificationQuerySet
from ..models.ranks import PIN, rank_at
from ..signals import notification_stored
from ..twins import twin
from .copies import ALONE, release_of
from .notify import tell_applications
from .storing import plan
from .stream import INBOX

DUE_STEPS: Final = 10  # steps of a turn, so that other periodic tasks have theirs
DUE_SWEEP: Final = 20.0  # seconds after which somebody else's snooze is found at the latest
SOON: Final = 0.2  # seconds
FOUND: Final = ("recipient", "notice", "folded_into", "modseq")  # what is read of a row


def release_due() -> int:
    """Bring back what has slept long enough, and send what was to be sent by now; several processes may do so at once.

    Every process that serves streams does it by itself, and ``manage.py publish_due`` too.

    Returns:
        How many notifications came back or were sent.
    """
    released = 0
    while recipients := _release_some():
        released += len(recipients)
        if len(recipients) < STREAM_CHUNK:
            break
    return released


arelease_due = twin(release_due)


@periodic
def take_turn() -> float:
    """Release what is due, in a bounded number of steps; return after how many seconds more will be."""
    for _step in range(DUE_STEPS):
        if len(_release_some()) < STREAM_CHUNK:
            break
    else:
        return SOON
    # Not their minimum, for which MariaDB reads all that waits.
    following = _waiting().order_by("snoozed_until").values_list("snoozed_until", flat=True).first()
    if following is None:
        return DUE_SWEEP
    return max(SOON, min(DUE_SWEEP, (following - timezone.now()) / timedelta(seconds=1)))


def _release_some() -> list[Any]:
    released = _release_rows(timezone.now())
    recipients = [row.recipient_id for row in released]
    if recipients:
        relay.announce(sequence(INBOX, dict.fromkeys(recipients)))
        _tell(released)
    return recipients


def _tell(released: Sequence[Notification]) -> None:
    """Tell applications of what was sent now."""
    sent: dict[Any, list[Any]] = {}
    for row in released:
        if row.folded_into == SCHEDULED:
            sent.setdefault(row.notice_id, []).append(row.recipient_id)
    if sent and notification_stored.has_listeners(Notice):
        for pk, notice in Notice.objects.using(INBOX.alias).in_bulk(list(sent)).items():
            tell_applications(notice, sent[pk])


def _waiting() -> NotificationQuerySet:
    return Notification.objects.using(INBOX.alias).filter(snoozed_until__isnull=False)


def _as_wanted(rows: list[Notification], now: datetime) -> list[Any]:
    """Leave out what its recipient has switched off; return the keys of what is to be released, which is locked."""
    later = [row for row in rows if row.folded_into == SCHEDULED]
    if not later:
        return [row.pk for row in rows]
    release = release_of(later)
    waiting = _waiting().filter(folded_into=SCHEDULED)
    if release.unwanted:
        delete_unread(waiting.filter(pk__in=release.unwanted))
    if release.quiet:
        waiting.filter(pk__in=release.quiet).update(toast=False)
    alone = dict.fromkeys((*ALONE, "snoozed_until"))
    for muted, pks in ((True, release.silent), (False, release.muted)):
        if pks:
            waiting.filter(pk__in=pks).touch(archived_at=now, muted=muted, toast=False, **alone)
    unwanted = set(release.unwanted)
    sent: dict[Any, list[Any]] = {}
    for row in later:
        if row.pk in unwanted:
            row.folded_into = None  # applications are not told of it
        else:
            sent.setdefault(row.notice_id, []).append(row.recipient_id)
    for notice_id, recipients in sent.items():
        plan(release.want[notice_id], recipients)
    done = unwanted.union(release.silent, release.muted)
    return [row.pk for row in rows if row.pk not in done]


@retried(lambda now: INBOX.alias)
def _release_rows(now: datetime) -> list[Notification]:
    """Release at most some hundred rows, but for those that an application holds; return them as they were."""
    due = _waiting().filter(snoozed_until__lte=now)
    found = {row.pk: row for row in due.order_by("snoozed_until").only(*FOUND)[:STREAM_CHUNK]}
    if not found:
        return []
    if late := [row.recipient_id for row in found.values() if row.modseq is None]:
        # Whoever put it to sleep died before it got its position: readers are told of that first.
        relay.announce(sequence(INBOX, dict.fromkeys(late)))
    rank = rank_at(now)
    joins = Q(folded_into=SCHEDULED, group__isnull=False)  # it is placed like any event of its group
    with atomic(INBOX.alias, durable=True):
        rows = [found[pk] for pk in lock_free(due, list(found), INBOX.alias)]
        pks = _as_wanted(rows, now)
        # Another process may have been first: what it has released waits no more.
        released = due.filter(pk__in=pks).update(
            # Before `folded_into`, for MySQL reads what it has just set.
            archived_at=Case(When(joins, then=F("archived_at")), default=Value(None)),
            read_at=None,
            seen_at=None,
            rank=Case(When(rank__gte=PIN, then=Value(rank + PIN)), default=Value(rank)),
            folded_into=Case(When(joins, then=Value(UNPLACED)), default=Value(None)),
            modseq=None,
            arrival=None,
            snoozed_until=None,
        )
    return rows if released or len(pks) < len(rows) else []
