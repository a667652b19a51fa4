"""The inbox as a stream: its rows as items, its snapshot and its changes."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import Any, Literal

from django.contrib.auth import get_user_model
from django.db.models.functions import Coalesce

from ..live.batch import Batch
from ..live.cursor import Position
from ..live.frames import ResetReason, frame, pack
from ..live.streams import Read, StreamType, register
from ..models import Inbox, Notification, Stream
from ..models.inbox import NotificationQuerySet
from ..signals import notification_delivered
from .abandoned import abandoned, shown
from .actors import actor
from .counts import Counts, counts
from .frames import Changes, Item, Reset, Tombstone
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

    def stamp_values(self, head: Any) -> dict[str, Any]:
        """Set the position, and at the first time the arrival too."""
        return {"modseq": head, "arrival": Coalesce("arrival", head)}

    def snapshot(self, pk: Hashable, position: Position, reason: ResetReason) -> Batch:
        """Read the first page and the counts, with two queries."""
        rows = listed(Notification.objects.using(self.alias).of(pk))[:INBOX_PAGE]
        numbers = counts([pk], self.alias)[pk]
        cursor = self.cursor(pk, position)
        struct = Reset(reason, cursor, items_of(rows), numbers.unread, numbers.unseen)
        return Batch(None, position, (frame(struct, cursor),))

    def changes(self, reads: Sequence[Read]) -> dict[Any, Batch]:
        """Encode the rows of each inbox; the counts of all of them are one query."""
        numbers = counts([read.pk for read in reads], self.alias)
        return {read.pk: self._batch(read, numbers[read.pk]) for read in reads}

    def _batch(self, read: Read, numbers: Counts) -> Batch:
        packed = list(pack(items_of(read.rows), read.start.modseq)) or [(0, [])]
        packed[-1] = (read.to.modseq, packed[-1][1])
        encoded = []
        start = self.cursor(read.pk, read.start)
        for complete, items in packed:
            to = self.cursor(read.pk, Position(read.to.epoch, complete))
            encoded.append(frame(Changes(start, to, items, numbers.unread, numbers.unseen), to))
            start = to
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


def items_of(rows: Iterable[Notification]) -> list[Item | Tombstone]:
    """Return notifications, read `with_content()`, as frames and the API show them."""
    rows = list(rows)
    gone = abandoned(rows, INBOX.alias)
    return [_item(row, row.notice_id in gone) for row in rows]


def _item(row: Notification, gone: bool) -> Item | Tombstone:
    notice = row.notice
    version = row.modseq or 0
    if notice.recalled_at is not None:
        return Tombstone(row.pk, version)
    return Item(
        id=row.pk,
        version=version,
        kind=notice.kind,
        category=notice.category,
        title=notice.title,
        body=notice.body,
        url=notice.url,
        actor=actor(notice.actor) if notice.actor else None,
        created_at=notice.created_at,
        seen_at=row.seen_at,
        read_at=row.read_at,
        archived_at=row.archived_at,
        expires_at=notice.expires_at,
        **shown(notice, gone),
    )


def listed(rows: NotificationQuerySet, state: State = "all") -> NotificationQuerySet:
    """Return the visible rows in `state`, with their content, newest first."""
    chosen = {"unread": rows.unread, "all": rows.not_archived, "archived": rows.archived}[state]()
    return chosen.visible().with_content().order_by("-pk")
