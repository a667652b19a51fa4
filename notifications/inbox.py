"""The inbox as a stream: its rows as items, its pages and its counts."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import Any, Literal, get_args

import msgspec
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Case, Count, IntegerField, When
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from . import frames
from .cursor import Position
from .frames import Actor, Item, ResetReason, Tombstone
from .models import Inbox, Notification, Stream
from .models.inbox import NotificationQuerySet
from .outbox import collect, look
from .prepared import NOW, Prepared
from .streams import Batch, Family, Read, register
from .validators import validate_text

PAGE = 20  # items of a snapshot, and of a page unless asked otherwise
PAGE_LIMIT = 100  # items of a page at most

State = Literal["unread", "all", "archived"]


class Counts(msgspec.Struct, frozen=True):
    """How many notifications of a user are unread, and how many of those were not in sight yet."""

    unread: int = 0
    unseen: int = 0


class Summary(msgspec.Struct, frozen=True):
    """A user's position and counts; the cursor is empty for a user without an inbox."""

    cursor: str
    unread: int
    unseen: int


class Page(msgspec.Struct, frozen=True):
    """A page of items, newest first; `next` is the `before` of the following page, or None on the last."""

    items: list[Item]
    next: int | None
    cursor: str
    unread: int
    unseen: int


class InboxFamily(Family):
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

    def gather(self, pks: Sequence[Any]) -> None:
        """Collect broadcasts."""
        collect(pks)

    def stamped(self, head: Any) -> dict[str, Any]:
        """Set the position, and at the first time the arrival too."""
        return {"modseq": head, "arrival": Coalesce("arrival", head)}

    def snapshot(self, pk: Hashable, position: Position, reason: ResetReason) -> Batch:
        """Read the first page and the counts, with two queries."""
        rows = _present(Notification.objects.using(self.alias).of(pk))[:PAGE]
        numbers = counts([pk], self.alias)[pk]
        cursor = self.cursor(pk, position)
        frame = frames.Reset(reason, cursor, [item(row) for row in rows], numbers.unread, numbers.unseen)
        return Batch(None, position, (frames.frame(frame, cursor),))

    def changes(self, reads: Sequence[Read]) -> dict[Any, Batch]:
        """Encode the rows of each inbox; the counts of all of them are one query."""
        numbers = counts([read.pk for read in reads], self.alias)
        return {read.pk: self._batch(read, numbers[read.pk]) for read in reads}

    def _batch(self, read: Read, numbers: Counts) -> Batch:
        packed = list(frames.pack([item(row) for row in read.rows], read.start.modseq)) or [(0, [])]
        packed[-1] = (read.to.modseq, packed[-1][1])
        encoded = []
        start = self.cursor(read.pk, read.start)
        for complete, items in packed:
            to = self.cursor(read.pk, Position(read.to.epoch, complete))
            encoded.append(frames.frame(frames.Changes(start, to, items, numbers.unread, numbers.unseen), to))
            start = to
        return Batch(read.start, read.to, tuple(encoded))


INBOX = register(InboxFamily())


def item(row: Notification) -> Item | Tombstone:
    """Return a notification, read `with_content()`, as frames and the API show it."""
    notice = row.notice
    version = row.modseq or 0
    if notice.recalled_at is not None:
        return Tombstone(row.pk, version)
    return Item(
        id=row.pk,
        version=version,
        kind=notice.kind,
        category=notice.category,
        level=notice.level,
        title=notice.title,
        body=notice.body,
        url=notice.url,
        data=notice.data,
        actor=actor(notice.actor) if notice.actor else None,
        created_at=notice.created_at,
        seen_at=row.seen_at,
        read_at=row.read_at,
        archived_at=row.archived_at,
        expires_at=notice.expires_at,
    )


def _countable() -> models.QuerySet[Any]:
    """Return the rows to be counted, by recipient."""
    unseen = Count(Case(When(seen_at__isnull=True, then=1), output_field=IntegerField()))
    rows = Notification.objects.unread().visible(NOW).order_by()
    return rows.values("recipient_id").annotate(unread=Count("id"), unseen=unseen)


_COUNTS = Prepared(_countable, "recipient_id", "unread", "unseen")


def counts(pks: Iterable[Any], using: str | None = None) -> dict[Any, Counts]:
    """Count what is unread and unseen for each user of `pks`, with one query."""
    pks = list(pks)
    rows = _COUNTS.run(pks, using or Notification.objects.db)
    found = {pk: Counts(unread, unseen) for pk, unread, unseen in rows}
    return {pk: found.get(pk, Counts()) for pk in pks}


def summary(user: Any) -> Summary:
    """Return the position and the counts of `user`, with two queries; only broadcasts to be collected cost more."""
    cursor = _position(user.pk)
    numbers = counts([user.pk])[user.pk]
    return Summary(cursor, numbers.unread, numbers.unseen)


def page(user: Any, state: State = "all", category: str = "", before: int | None = None, limit: int = PAGE) -> Page:
    """Read a page of the inbox of `user`, newest first, with three queries whatever its size.

    Args:
        user: Whose inbox.
        state: ``"unread"``, ``"all"`` (not archived) or ``"archived"``.
        category: Only this category; empty for every one.
        before: Only items with a lower id: the `next` of the page before.
        limit: Items, from 1 to `PAGE_LIMIT`.

    Raises:
        ValidationError: `state`, `category`, `before` or `limit` is out of range; the field is named.
    """
    if state not in get_args(State):
        raise ValidationError({"state": _("State must be one of unread, all, archived.")})
    try:
        validate_text(category)
    except ValidationError as error:
        raise ValidationError({"category": error}) from error
    if not 1 <= limit <= PAGE_LIMIT:
        raise ValidationError({"limit": _("Limit must be between 1 and %(limit)s.") % {"limit": PAGE_LIMIT}})
    cursor = _position(user.pk)  # before the rows: to apply a row twice is harmless, to miss one is not
    rows = _present(Notification.objects.of(user), state)
    if category:
        rows = rows.filter(notice__category=category)
    if before is not None:
        if not 0 < before < 2**63:
            raise ValidationError({"before": _("Before must be the `next` of another page.")})
        rows = rows.filter(pk__lt=before)
    found = list(rows[: limit + 1])
    items = [value for value in map(item, found[:limit]) if isinstance(value, Item)]
    numbers = counts([user.pk])[user.pk]
    following = found[limit - 1].pk if len(found) > limit else None
    return Page(items, following, cursor, numbers.unread, numbers.unseen)


def _present(rows: NotificationQuerySet, state: State = "all") -> NotificationQuerySet:
    """Return the visible rows in `state`, with their content, newest first."""
    chosen = {"unread": rows.unread, "all": rows.present, "archived": rows.archived}[state]()
    return chosen.visible().with_content().order_by("-pk")


def _position(pk: Any) -> str:
    """Return the cursor of an inbox, once its owner has collected what was broadcast."""
    position, behind = look(pk)
    if behind and collect([pk]):
        position, _behind = look(pk)
    return INBOX.cursor(pk, position) if position else ""


def actor(user: Any) -> Actor:
    """Name a user; a custom user model need not have a full name."""
    name = user.get_full_name() if hasattr(user, "get_full_name") else ""
    return Actor(frames.key(user.pk), name or user.get_username())
