"""The inbox as a stream: its rows as items, its snapshot and its changes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Sequence
from functools import cached_property
from typing import Any, Literal

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from ..live.batch import Batch
from ..live.cursor import Position
from ..live.frames import Frame, ResetReason, frame
from ..live.statements import CompiledEntries
from ..live.streams import Read, StreamType, register
from ..models import Inbox, Notification, Stream
from ..models.inbox import NotificationQuerySet
from ..signals import notification_delivered
from .counts import COUNTED, Counts, counts, counts_at
from .entries import COLUMNS, Row, entry, with_notices
from .frames import Changes, Reset
from .growing import place
from .items import Items
from .outbox import at_rest, collect

State = Literal["unread", "all", "archived", "snoozed"]

INBOX_PAGE = 20  # items of a snapshot, and of a page unless asked otherwise


class InboxStream(StreamType):
    """The streams of notifications, one per user; the stream's primary key is the user's."""

    name = "inbox"
    stream = Inbox
    entry = Notification
    field = "recipient_id"
    related = ()
    marks = ("group", "folded_into")
    translates = True

    def cursor_name(self, pk: Hashable) -> str:
        """Return ``inbox``: whose it is, is known from the session."""
        return self.name

    def cursor(self, pk: Hashable, position: Position) -> str:
        """Return the cursor, as `dump` makes it."""
        return f"{self.name}={position.epoch}.{position.modseq}"

    def missing(self, pks: Sequence[Any]) -> Sequence[Stream]:
        """Make an inbox for each existing user that has none."""
        users = get_user_model()._base_manager.using(self.alias)
        return [Inbox(user_id=pk) for pk in users.filter(pk__in=pks).order_by("pk").values_list("pk", flat=True)]

    def at_rest(self, pk: Any) -> tuple[Position, int] | None:
        """Return where the inbox is, if there is nothing to collect or to stamp."""
        return at_rest(pk, self.alias)

    def collect_pending(self, pks: Sequence[Any]) -> None:
        """Collect broadcasts."""
        collect(self, pks)

    def place(self, rows: Sequence[Sequence[Any]]) -> list[Any]:
        """Let events join the items of their groups."""
        return place(self, rows)

    def stamp_values(self, head: Any) -> dict[str, Any]:
        """Set the position, and at the first time the arrival too."""
        return {"modseq": head, "arrival": Coalesce("arrival", head)}

    @cached_property
    def after(self) -> CompiledEntries:
        """The entries of a stream after a position, without their notices."""
        return CompiledEntries(self._in_order, self.field, COLUMNS, self.resume_limit + 1, entry)

    def prefetch(self, rows: Sequence[Any]) -> Sequence[Any]:
        """Fetch the notices, each once."""
        return with_notices(rows, self.alias)

    def snapshot(self, pk: Hashable, position: Position, reason: ResetReason, languages: Collection[str] = ()) -> Batch:
        """Read the first page and the counts, with two queries and one for each model that the page refers to."""
        rows = list(listed(Notification.objects.using(self.alias).of(pk))[:INBOX_PAGE])
        numbers = counts([pk], self.alias)[pk]
        cursor = self.cursor(pk, position)

        items = Items(rows)

        def told(language: str = "") -> tuple[Frame, ...]:
            return (frame(Reset(reason, cursor, items.show(rows, language), numbers.unread, numbers.unseen), cursor),)

        frames, translated = _in_languages(items, rows, languages, told)
        return Batch(None, position, frames, translated=translated)

    def changes(self, reads: Sequence[Read]) -> dict[Any, Batch]:
        """Encode the rows of each inbox; the counts of all whose arrivals do not tell them are one query."""
        numbers: dict[Any, tuple[Counts, int | None]] = {
            read.pk: (carried, read.to.modseq) for read in reads if (carried := _carried(read)) is not None
        }
        numbers |= counts_at([read.pk for read in reads if read.pk not in numbers], self.alias)
        items = Items([row for read in reads for row in read.rows])
        told = notification_delivered.has_listeners(Notification)
        arrived = _arrived if told else _nothing
        return {read.pk: self._batch(read, items, *numbers[read.pk], arrived(read)) for read in reads}

    def _batch(self, read: Read, items: Items, numbers: Counts, at: int | None, arrived: tuple[Any, ...]) -> Batch:
        def told(language: str = "") -> tuple[Frame, ...]:
            pieces = self.pieces(read, items.encoded(read.rows, language))
            unread, unseen = numbers.unread, numbers.unseen
            return tuple([frame(Changes(start, to, piece, unread, unseen), to) for start, to, piece in pieces])

        frames, translated = _in_languages(items, read.rows, read.languages, told)
        return Batch(
            read.start,
            read.to,
            frames,
            arrived=arrived,
            translated=translated,
            kept=numbers if at == read.to.modseq else None,
        )

    def delivered(self, pk: Hashable, arrived: Sequence[Any]) -> None:
        """Send the signal `notification_delivered`."""
        notification_delivered.send_robust(Notification, recipient=pk, notifications=list(arrived))


Told = Callable[..., tuple[Frame, ...]]  # the frames that rows become in a language, or in the one that is active


def _in_languages(
    items: Items, rows: Sequence[Row], languages: Collection[str], told: Told
) -> tuple[tuple[Frame, ...], dict[str, tuple[Frame, ...]] | None]:
    """Return the frames that rows become: the same for all readers, or those of each language."""
    if languages and items.are_translated(rows):
        return (), {language: told(language) for language in languages}
    return told(*list(languages)[:1]), None


def _carried(read: Read) -> Counts | None:
    """Return the counts at the end of a read, where they follow from those at its start; None where they do not.

    They do if nothing but new notifications came, at every position one, and none of them will expire: each is unread
    and unseen. Whatever else may have happened is counted in the database. So is what somebody changes there without a
    position, as soon as anything else happens.
    """
    if not isinstance(read.kept, Counts) or len(read.rows) != read.to.modseq - read.start.modseq:
        return None
    position = read.start.modseq
    for row in read.rows:
        position += 1
        if not row.modseq == row.arrival == position or row.group is not None:
            return None
        if row.seen_at or row.read_at or row.archived_at or row.notice.recalled_at or row.notice.expires_at:
            return None
    unread, unseen = read.kept.unread + len(read.rows), read.kept.unseen + len(read.rows)
    return Counts(min(unread, COUNTED), min(unseen, COUNTED))


def _arrived(read: Read) -> tuple[Any, ...]:
    """Return the notifications that are new to the reader."""
    return tuple(
        row.pk
        for row in read.rows
        if row.notice.recalled_at is None and row.arrival is not None and row.arrival > read.start.modseq
    )


def _nothing(read: Read) -> tuple[Any, ...]:
    """Return no notifications, where nobody receives `notification_delivered`."""
    return ()


INBOX = register(InboxStream())


def listed(rows: NotificationQuerySet, state: State = "all") -> NotificationQuerySet:
    """Return the visible rows in `state`, with their content, in their order.

    Raises:
        ValidationError: `state` is none.
    """
    return in_state(rows, state).visible().with_content().ranked()


def in_state(rows: NotificationQuerySet, state: State) -> NotificationQuerySet:
    """Keep the rows in `state`.

    Raises:
        ValidationError: It is none.
    """
    states = {"unread": rows.unread, "all": rows.not_archived, "archived": rows.archived, "snoozed": rows.snoozed}
    if state not in states:
        raise ValidationError({"state": _("State must be one of unread, all, archived, snoozed.")})
    return states[state]()
