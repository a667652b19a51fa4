"""The inbox as a stream: its rows as items, its snapshot and its changes."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from itertools import islice
from typing import Any, Literal

from django.contrib.auth import get_user_model
from django.db.models.functions import Coalesce

from ..live.batch import Batch
from ..live.cursor import Position
from ..live.frames import ResetReason, frame
from ..live.streams import Read, StreamType, register
from ..models import Inbox, Notification, Stream
from ..models.inbox import NotificationQuerySet
from ..signals import notification_delivered
from .counts import Counts, counts
from .frames import Changes, Item, Reset, Tombstone
from .growing import place
from .items import items_of
from .outbox import collect

State = Literal["unread", "all", "archived"]

INBOX_PAGE = 20  # items of a snapshot, and of a page unless asked otherwise


class InboxStream(StreamType):
    """The streams of notifications, one per user; the stream's primary key is the user's."""

    name = "inbox"
    stream = Inbox
    entry = Notification
    field = "recipient_id"
    related = ("notice", "notice__actor")
    marks = ("group", "folded_into")

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

    def snapshot(self, pk: Hashable, position: Position, reason: ResetReason) -> Batch:
        """Read the first page and the counts, with two queries."""
        rows = list(listed(Notification.objects.using(self.alias).of(pk))[:INBOX_PAGE])
        numbers = counts([pk], self.alias)[pk]
        cursor = self.cursor(pk, position)
        struct = Reset(reason, cursor, items_of(rows), numbers.unread, numbers.unseen)
        return Batch(None, position, (frame(struct, cursor),))

    def changes(self, reads: Sequence[Read]) -> dict[Any, Batch]:
        """Encode the rows of each inbox; the counts of all of them are one query."""
        numbers = counts([read.pk for read in reads], self.alias)
        shown = iter(items_of([row for read in reads for row in read.rows]))
        return {read.pk: self._batch(read, list(islice(shown, len(read.rows))), numbers[read.pk]) for read in reads}

    def _batch(self, read: Read, shown: list[Item | Tombstone], numbers: Counts) -> Batch:
        pieces = self.pieces(read, shown)
        encoded = [frame(Changes(start, to, items, numbers.unread, numbers.unseen), to) for start, to, items in pieces]
        return Batch(read.start, read.to, tuple(encoded), arrived=_arrived(read))

    def delivered(self, pk: Hashable, arrived: Sequence[Any]) -> None:
        """Send the signal `notification_delivered`."""
        notification_delivered.send_robust(Notification, recipient=pk, notifications=list(arrived))


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
    """Return the visible rows in `state`, with their content, in their order."""
    chosen = {"unread": rows.unread, "all": rows.not_archived, "archived": rows.archived}[state]()
    return chosen.visible().with_content().ranked()
