"""How a growing text is stored: pieces join one row, and each piece is told to those who have what came before."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, NamedTuple

import msgspec
from django.core.exceptions import ValidationError
from django.db.models import F, Value
from django.db.models.functions import Concat
from django.utils import timezone
from django.utils.translation import gettext as _

from .. import tenants
from ..live import relay
from ..live.batch import Batch
from ..live.commit import sequence_now
from ..live.cursor import Position
from ..live.frames import encode, frame
from ..live.keeping import Over
from ..live.transactions import atomic, retried
from ..models import FeedEvent, FeedText
from .frames import Event, FeedEvents
from .policies import Nothing
from .registry import ResolvedFeed
from .stream import FEED, remember

logger = logging.getLogger("notifications")

WRITER_LEASE = 10.0  # seconds; a writer that was silent for so long is gone
TEXT_LENGTH = 128 * 1024  # characters

State = FeedText.State


class Handle(NamedTuple):
    """A growing text, by its event, feed and tenant; `work` is what its writing is called where it is asked to stop."""

    feed: ResolvedFeed
    pk: int
    event: str
    work: str
    tenant: str


def begin(feed: ResolvedFeed, event: str, data: Mapping[str, Any], owner: str) -> Handle:
    """Store an empty text, as an event of `feed`, and tell of it.

    Raises:
        ValidationError: The feed keeps nothing, so that a late reader would get half of the text.
    """
    if isinstance(feed.rules.keep, Nothing):
        message = _("The feed %(feed)s keeps nothing: a text that grows needs Log or Latest.")
        raise ValidationError({"feed": message % {"feed": feed.name}})
    pk = _insert(remember(feed.name), event, msgspec.json.encode(dict(data)).decode(), owner)
    sequence_now(FEED, [feed.pk])
    return Handle(feed, pk, event, work_of(pk), tenants.current())


@retried(lambda *args: FEED.alias)
def _insert(feed: int, event: str, data: str, owner: str) -> int:
    with atomic(FEED.alias):
        row = FeedEvent(feed_id=feed, event=event, data=data, grows=True)
        row.save(using=FEED.alias, force_insert=True)
        FeedText(event=row, owner=owner, lease_until=_lease()).save(using=FEED.alias, force_insert=True)
    return row.pk


def work_of(pk: int) -> str:
    """Return what the writing of a text is called where it is asked to stop."""
    return tenants.salted(f"text:{pk}")


def grow(handle: Handle, piece: str, offset: int, state: State = State.WRITING, error: str = "") -> bool:
    """Add a piece to a text, or end it, and tell its readers.

    Args:
        handle: The text.
        piece: What is added; it may be empty.
        offset: How many characters there are before it.
        state: What the text is from now on.
        error: Why it failed, for people.

    Returns:
        Whether somebody has asked the writer to stop.

    Raises:
        Over: Somebody else has ended it: its lease had run out, or it was deleted.
    """
    pk = handle.feed.pk
    to, stop = _store(handle, piece, state, error)
    start = to._replace(modseq=to.modseq - 1)
    data = {"append": piece, "offset": offset, "state": state} | ({"error": error} if error else {})
    told = Event(handle.pk, to.modseq, handle.event, "", msgspec.Raw(encode(data)), timezone.now())
    cursor = FEED.cursor(pk, to)
    grown = FeedEvents(handle.feed.name, FEED.cursor(pk, start), cursor, [msgspec.Raw(encode(told))])
    try:
        relay.announce_batch(FEED.key(pk), Batch(start, to, (frame(grown, cursor),)))
    except Exception:  # it is stored: a writer that stored it again would say it twice
        logger.exception("Could not announce that a text has grown; its readers find out by themselves.")
    return stop


@retried(lambda *args: FEED.alias)
def _store(handle: Handle, piece: str, state: State, error: str) -> tuple[Position, bool]:
    """Store a piece; return the position that it gets, and whether somebody has asked the writer to stop."""
    pk = handle.feed.pk
    with atomic(FEED.alias, durable=True):
        rows = FeedText.objects.using(FEED.alias).filter(pk=handle.pk, state=State.WRITING)
        lease = _lease() if state == State.WRITING else None
        changes: dict[str, Any] = {"lease_until": lease, "state": state, "error": error}
        if piece:
            changes["text"] = Concat(F("text"), Value(piece))
        FEED.advance.run([pk], FEED.alias)
        if not rows.update(**changes):
            raise Over
        to = Position(*FEED.streams().filter(pk=pk).values_list("epoch", "head").get())
        FEED.entries().filter(pk=handle.pk).update(modseq=to.modseq)
        asked = rows.model.objects.using(FEED.alias).filter(pk=handle.pk, stop_requested_at__isnull=False)
        return to, asked.exists()


def keep_alive(handle: Handle) -> bool:
    """Renew the writer's lease; return whether somebody has asked it to stop.

    Raises:
        Over: Somebody else has ended the text.
    """
    rows = FeedText.objects.using(FEED.alias).filter(pk=handle.pk, state=State.WRITING)
    if not rows.update(lease_until=_lease()):
        raise Over
    return rows.filter(stop_requested_at__isnull=False).exists()


def request_stop(pk: int) -> bool:
    """Ask the writer of a text to stop; return whether it was still writing."""
    rows = FeedText.objects.using(FEED.alias).filter(pk=pk, state=State.WRITING, stop_requested_at=None)
    return bool(rows.update(stop_requested_at=timezone.now()))


def end_abandoned() -> int:
    """Mark as failed the texts whose writers are gone; return how many there were."""
    late = FeedText.objects.using(FEED.alias).filter(lease_until__lt=timezone.now())
    found = list(late.values_list("pk", "event__feed_id")[:100])
    ended = {feed for pk, feed in found if _end_abandoned(pk)}
    if ended:
        sequence_now(FEED, ended)
    return len(ended)


@retried(lambda pk: FEED.alias)
def _end_abandoned(pk: int) -> bool:
    with atomic(FEED.alias):
        late = FeedText.objects.using(FEED.alias).filter(pk=pk, lease_until__lt=timezone.now())
        if not late.update(state=State.FAILED, lease_until=None, error=_("The writer is gone.")):
            return False
        FEED.entries().filter(pk=pk).update(modseq=None)
    return True


def _lease() -> Any:
    return timezone.now() + timedelta(seconds=WRITER_LEASE)
