"""The inbox as a stream: its rows as items, its snapshot and its changes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Sequence
from typing import Any, Literal

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from ..live.batch import Batch
from ..live.cursor import Position
from ..live.frames import Frame, ResetReason, frame
from ..live.streams import Read, StreamType, register
from ..models import Inbox, Notification, Stream
from ..models.inbox import NotificationQuerySet
from ..signals import notification_delivered
from .counts import Counts, counts
from .frames import Changes, Item, Reset, Tombstone
from .growing import place
from .items import Items
from .outbox import collect

State = Literal["unread", "all", "archived", "snoozed"]

INBOX_PAGE = 20  # items of a snapshot, and of a page unless asked otherwise


class InboxStream(StreamType):
    """The streams of notifications, one per user; the stream's primary key is the user's."""

    name = "inbox"
    stream = Inbox
    entry = Notification
    field = "recipient_id"
    related = ("notice", "notice__actor")
    marks = ("group", "folded_into")
    translates = True

    def cursor_name(self, pk: Hashable) -> str:
        """Return ``inbox``: whose it is, is known from the session."""
        return self.name

    def missing(self, pks: Sequence[Any]) -> Sequence[Stream]:
        """Make an inbox for each existing user that has none."""
        users = get_user_model()._base_manager.using(self.alias)
        return [Inbox(user_id=pk) for pk in users.filter(pk__in=pks).order_by("pk").values_list("pk", flat=True)]

    def collect_pending(self, pks: Sequence[Any]) -> None:
        """Collect broadcasts."""
        collect(self, pks)

    def place(self, rows: Sequence[Sequence[Any]]) -> list[Any]:
        """Let events join the items of their groups."""
        return place(self, rows)

    def stamp_values(self, head: Any) -> dict[str, Any]:
        """Set the position, and at the first time the arrival too."""
        return {"modseq": head, "arrival": Coalesce("arrival", head)}

    def snapshot(self, pk: Hashable, position: Position, reason: ResetReason, languages: Collection[str] = ()) -> Batch:
        """Read the first page and the counts, with two queries and one for each model that the page refers to."""
        rows = list(listed(Notification.objects.using(self.alias).of(pk))[:INBOX_PAGE])
        numbers = counts([pk], self.alias)[pk]
        cursor = self.cursor(pk, position)

        def told(items: Sequence[Item | Tombstone]) -> tuple[Frame, ...]:
            return (frame(Reset(reason, cursor, items, numbers.unread, numbers.unseen), cursor),)

        frames, translated = _in_languages(Items(rows), rows, languages, told)
        return Batch(None, position, frames, translated=translated)

    def changes(self, reads: Sequence[Read]) -> dict[Any, Batch]:
        """Encode the rows of each inbox; the counts of all of them are one query."""
        numbers = counts([read.pk for read in reads], self.alias)
        items = Items([row for read in reads for row in read.rows])
        return {read.pk: self._batch(read, items, numbers[read.pk]) for read in reads}

    def _batch(self, read: Read, items: Items, numbers: Counts) -> Batch:
        def told(shown: Sequence[Item | Tombstone]) -> tuple[Frame, ...]:
            pieces = self.pieces(read, shown)
            return tuple(
                frame(Changes(start, to, piece, numbers.unread, numbers.unseen), to) for start, to, piece in pieces
            )

        frames, translated = _in_languages(items, read.rows, read.languages, told)
        return Batch(read.start, read.to, frames, arrived=_arrived(read), translated=translated)

    def delivered(self, pk: Hashable, arrived: Sequence[Any]) -> None:
        """Send the signal `notification_delivered`."""
        notification_delivered.send_robust(Notification, recipient=pk, notifications=list(arrived))


Told = Callable[[Sequence[Item | Tombstone]], tuple[Frame, ...]]  # the frames that items become


def _in_languages(
    items: Items, rows: Sequence[Notification], languages: Collection[str], told: Told
) -> tuple[tuple[Frame, ...], dict[str, tuple[Frame, ...]] | None]:
    """Return the frames that rows become: the same for all readers, or those of each language."""
    if languages and items.are_translated(rows):
        return (), {language: told(items.show(rows, language)) for language in languages}
    return told(items.show(rows)), None


def _arrived(read: Read) -> tuple[Any, ...]:
    """Return the notifications that are new to the reader, where somebody receives `notification_delivered`."""
    if not notification_delivered.has_listeners(Notification):
        return ()
    return tuple(
        row.pk
        for row in read.rows
        if row.notice.recalled_at is None and row.arrival is not None and row.arrival > read.start.modseq
    )


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
