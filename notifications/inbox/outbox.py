"""The outbox: how one broadcast row becomes a copy in each recipient's inbox, when its owner is there.

Broadcasts are entries of one stream, the outbox, and every inbox remembers the position up to which it has
collected it. Publishing, editing and recalling change one row, whatever the audience's size. Connected users
collect immediately; everybody else when they next connect or list.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db import OperationalError
from django.db.models import Case, Exists, F, OuterRef, QuerySet, Subquery, Value, When
from django.db.models.functions import Coalesce

from ..audiences import has_field, members, people
from ..kinds.subjects import orphans
from ..live.batch import Batch
from ..live.chunks import chunks
from ..live.cursor import Position
from ..live.django_internals import in_transaction
from ..live.locks import lock_free
from ..live.sequencer import open_streams, sequence
from ..live.statements import CompiledSelect
from ..live.streams import Read, StreamType
from ..live.transactions import after_commit, atomic, retried
from ..models import Broadcast, Notification, Outbox, Stream
from ..models.broadcast import OUTBOX, BroadcastState
from .copies import wanted
from .handing_out import hand_out

logger = logging.getLogger("notifications")


class OutboxStream(StreamType):
    """The stream of all broadcasts. Inboxes collect it; no client reads it."""

    name = "outbox"
    stream = Outbox
    entry = Broadcast
    field = "outbox_id"
    path = "outbox"
    related = ()

    def missing(self, pks: Sequence[Any]) -> Sequence[Stream]:
        """Make the outbox at the first broadcast."""
        return [Outbox(pk=pk) for pk in pks]

    def stamp_values(self, head: Any) -> dict[str, Any]:
        """Set the position, and at the first time the arrival: from then on the broadcast is sent."""
        sent = When(state=BroadcastState.SENDING, then=Value(BroadcastState.SENT))
        return {"modseq": head, "arrival": Coalesce("arrival", head), "state": Case(sent, default=F("state"))}

    def snapshot(self, *args: Any) -> Batch:
        """Refuse: no client reads the outbox."""
        raise NotImplementedError("Inboxes collect the outbox; no client reads it.")

    def changes(self, reads: Sequence[Read]) -> dict[Any, Batch]:
        """Refuse: no client reads the outbox."""
        raise NotImplementedError("Inboxes collect the outbox; no client reads it.")


OUTBOX_STREAM = OutboxStream()


@retried(lambda inbox, pks: inbox.alias)
def collect(inbox: StreamType, pks: Iterable[Any]) -> bool:
    """Give users their copies of the broadcasts since they last collected, and apply edits and recalls.

    A constant number of queries, however many broadcasts there are: one where nothing is to be done. The
    copies join the caller's transaction, and are stamped after its commit.

    Args:
        inbox: The type of the users' streams.
        pks: Primary keys of users, at most some hundreds.

    Returns:
        Whether anything was to be done.
    """
    latest, behind, absent = _behind(inbox, list(pks))
    if not behind:
        return False
    alone = not in_transaction(inbox.alias)
    if alone:
        open_streams(inbox, absent)  # so that what is stored there can have positions
    with atomic(inbox.alias):
        owed = _touch_changed(inbox, behind)  # first, for it is to find only what was there before
        _copy_published(inbox, behind, hold=alone)

    def advance() -> None:
        try:
            sequence(inbox, sorted(behind))
            open_streams(inbox, absent)
            _remember(inbox, behind.keys() - owed, latest)
        except OperationalError as error:
            logger.debug("Who comes next advances %s, for somebody holds a lock: %r", list(behind), error)

    after_commit(advance, inbox.alias)
    return True


def read_position(pk: Any, using: str) -> tuple[Position | None, bool]:
    """Return the position of an inbox, if there is one, and whether its owner has anything to collect.

    One query reads both streams, because every page asks for it.
    """
    rows = _MARKS.run([pk], using)
    if not rows:
        return None, False  # the user has been deleted since
    [(_pk, epoch, head, collected, latest)] = rows
    return Position(epoch, head) if epoch else None, (collected or 0) < latest


def at_rest(pk: Any, using: str) -> tuple[Position, int] | None:
    """Return the head and the floor of an inbox if there is one whose owner has nothing to collect, and nothing waits.

    One query, which every connect begins with.
    """
    rows = _STANDING.run([pk], using)
    if not rows:
        return None
    [(_pk, epoch, head, floor, collected, latest, waiting)] = rows
    return (Position(epoch, head), floor) if epoch and not waiting and collected >= latest else None


def _marks() -> QuerySet[Any]:
    latest = Outbox.objects.filter(pk=OUTBOX).values("head")
    return get_user_model()._base_manager.annotate(latest=Coalesce(Subquery(latest), 0))


# Of users, because one who has no inbox yet may have broadcasts to collect too.
_MARKS = CompiledSelect(_marks, "pk", *(f"carillon_inbox__{name}" for name in ("epoch", "head", "collected")), "latest")


def _standing() -> QuerySet[Any]:
    waiting = Exists(Notification.objects.filter(recipient=OuterRef("pk"), modseq=None))
    users: QuerySet[Any] = _marks().annotate(waiting=waiting)
    return users


_STANDING = CompiledSelect(
    _standing,
    "pk",
    *(f"carillon_inbox__{name}" for name in ("epoch", "head", "floor", "collected")),
    "latest",
    "waiting",
)


def _behind(inbox: StreamType, pks: list[Any]) -> tuple[int, dict[Any, int], list[Any]]:
    """Return the outbox's head, how far each has collected who is behind it, and who of them has no inbox yet."""
    rows = _MARKS.run(pks, inbox.alias)
    behind = {pk: collected or 0 for pk, _epoch, _head, collected, latest in rows if (collected or 0) < latest}
    absent = [pk for pk, epoch, *_rest in rows if pk in behind and epoch is None]
    # The head was read before any broadcast is: what is published meanwhile is collected the next time.
    return min((row[-1] for row in rows), default=0), behind, absent


def _touch_changed(inbox: StreamType, behind: Mapping[Any, int]) -> set[Any]:
    """Mark the copies of broadcasts that were changed since; return whose could not be, for they stay behind.

    Also a copy that somebody else has stored and stamped meanwhile, for a reader may have got it before the change. One
    that waits for its position is read after the change anyway.
    """
    broadcasts = Broadcast.objects.using(OUTBOX_STREAM.alias)
    changed = broadcasts.filter(outbox=OUTBOX, modseq__gt=min(behind.values())).values("notice_id")
    stamped = inbox.entries().filter(modseq__isnull=False)
    copies = stamped.filter(recipient_id__in=list(behind), notice_id__in=changed)
    found = dict(copies.values_list("pk", "recipient_id"))
    free: set[int] = set()
    for pks in chunks(found):
        if locked := lock_free(stamped, pks, inbox.alias):
            inbox.entries().filter(pk__in=locked).update(modseq=None)
            free.update(locked)
    return {recipient for pk, recipient in found.items() if pk not in free}


def _copy_published(inbox: StreamType, behind: Mapping[Any, int], *, hold: bool) -> None:
    """Store a copy of each broadcast since then for members of its audience who were users at the time."""
    joined = _joined(behind)
    if not joined:
        return
    # By arrival, which stays: an edit that waits for its new position hides nothing.
    fresh = Broadcast.objects.using(OUTBOX_STREAM.alias).live().filter(arrival__gt=min(behind.values()))
    if oldest := min((since for since in joined.values() if since is not None), default=None):
        fresh = fresh.filter(published_at__gte=oldest)
    broadcasts = [
        broadcast for broadcast in fresh.select_related("notice").order_by("arrival", "pk") if usable(broadcast)
    ]
    if gone := orphans(broadcasts):  # whoever comes after the deletion gets none
        broadcasts = [broadcast for broadcast in broadcasts if broadcast.pk not in gone]
    audiences = [broadcast.audience_of() for broadcast in broadcasts]
    distinct = list(dict.fromkeys(audiences))
    meant = dict(zip(distinct, members(distinct, list(joined)), strict=True)) if distinct else {}
    users = sorted(joined)
    chosen = [
        (
            broadcast,
            [
                pk
                for pk in users
                if pk in meant[audience]
                and (broadcast.arrival or 0) > behind[pk]
                and _was_user(joined[pk], broadcast.published_at)
            ],
        )
        for broadcast, audience in zip(broadcasts, audiences, strict=True)
    ]
    if any(pks for _broadcast, pks in chosen):
        want = wanted((broadcast.notice for broadcast in broadcasts if broadcast.notice), users)
        hand_out(inbox, chosen, want, hold=hold)


def _joined(pks: Iterable[Any]) -> dict[Any, datetime | None]:
    """Return when each active user joined; None if the project's user model does not record it."""
    users = people(OUTBOX_STREAM.alias).filter(pk__in=list(pks))
    if has_field("date_joined"):
        return dict(users.values_list("pk", "date_joined"))
    return dict.fromkeys(users.values_list("pk", flat=True))


def _was_user(joined: datetime | None, published: datetime | None) -> bool:
    return joined is None or published is None or joined <= published


def usable(broadcast: Broadcast) -> bool:
    """Return whether the audience still exists; a deploy may have removed it since the broadcast was sent."""
    try:
        unknown = broadcast.audience_of().unknown()
    except ValidationError as error:
        unknown = error.messages
    if unknown:
        logger.error("Broadcast %s reaches nobody more: its audience %s does not exist.", broadcast.pk, unknown)
    return not unknown


@retried(lambda inbox, pks, latest: inbox.alias)
def _remember(inbox: StreamType, pks: Iterable[Any], latest: int) -> None:
    """Move inboxes forward in a separate transaction, never an application's: the sequencer locks those rows.

    It may be late, for what it says was true before: each user has a copy of what was published up to `latest`, and
    each copy that was stamped before its broadcast's latest change waits for another position or has got it.
    """
    rows = inbox.streams().filter(collected__lt=latest)
    with atomic(inbox.alias):
        rows.filter(pk__in=lock_free(rows, list(pks), inbox.alias)).update(collected=latest)
