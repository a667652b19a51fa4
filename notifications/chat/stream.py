"""Rooms as streams: their messages as frames."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from functools import cached_property
from itertools import groupby
from operator import attrgetter
from typing import Any

import msgspec
from django.core.exceptions import ValidationError
from django.db import connections, models
from django.db.models import F, Q
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext as _
from msgspec import structs

from ..inbox.actors import actor
from ..live.access import guard
from ..live.batch import Access, Batch
from ..live.chunks import chunks
from ..live.cursor import Position
from ..live.frames import FRAME_BYTES, Frame, ResetReason, encode, encoded, frame, json_key
from ..live.statements import CompiledEntries
from ..live.streams import Read, StreamType, register
from ..models import Membership, Message, Reaction, Room
from ..models.chat import reactions_in_order
from ..validators import validate_limit
from .frames import Deleted, History, MessageItem, Messages, ReactionItem, ReactionsItem, RoomFrame, RoomReset
from .members import MEMBERSHIP, count_members, owners_of, room_infos

HISTORY_PAGE = 50  # messages of a first page, and of a page of the history unless asked otherwise
PAGE_LIMIT = 100  # messages or rooms of a page at most
ROOMS = 100  # asked about in one query
REACTORS = 50  # users named on one reaction


class RoomStream(StreamType):
    """The streams of messages, one per room."""

    name = "room"
    stream = Room
    entry = Message
    field = "room_id"
    path = "room"
    related = ("author", "subject")
    resume_limit = 200

    def prefetch(self, rows: Sequence[Any]) -> Sequence[Any]:
        """Fetch the reactions."""
        models.prefetch_related_objects(rows, reactions_in_order())
        return rows

    def stamp(self, pks: Sequence[Any], head: int | None) -> None:
        """Set the position, and number new messages in the order in which they were written."""
        new = self.entries().filter(pk__in=pks, modseq=None, number=None).order_by("room_id", "pk")
        for room, found in groupby(new.values_list("room_id", "pk", "kind"), key=lambda row: row[0]):
            rows = list(found)
            written = [pk for _room, pk, _kind in rows]
            rooms = self.streams().filter(pk=room)
            rooms.update(last_number=F("last_number") + len(written), active_at=timezone.now())
            first = rooms.values_list("last_number", flat=True).get() - len(written) + 1
            numbered = [Message(pk=pk, number=number) for number, pk in enumerate(written, first)]
            self.entries().bulk_update(numbered, ["number"])
            if any(kind in MEMBERSHIP for _room, _pk, kind in rows):
                count_members(rooms)
        super().stamp(pks, head)

    def stamp_values(self, head: Any) -> dict[str, Any]:
        """Set the position, and that of the content where it waits for one too."""
        return {"modseq": head, "content_modseq": Coalesce("content_modseq", head)}

    def number(self, message: Message) -> None:
        """Set the number and position of a message that is not stored yet; the room is locked until the commit."""
        rooms = self.streams().filter(pk=message.room_id)
        rooms.update(head=F("head") + 1, last_number=F("last_number") + 1, active_at=message.created_at)
        message.modseq, message.number = rooms.values_list("head", "last_number").get()
        message.content_modseq = message.modseq

    def said(self, message: Message) -> Batch:
        """Return the batch that one message is which has just taken its position, without reading."""
        to = Position(message.room.epoch, message.modseq or 0)
        start = Position(to.epoch, to.modseq - 1)
        before, after = (self.cursor(message.room_id, position) for position in (start, to))
        raw = msgspec.Raw(encode(message_item(message, ())))
        told = frame(Messages(message.room_id, before, after, [raw]), after)
        return Batch(start, to, (told,))

    def snapshot(self, pk: Hashable, position: Position, reason: ResetReason, languages: Collection[str] = ()) -> Batch:
        """Read the latest page."""
        return self.first_page(pk, position, reason, HISTORY_PAGE)

    def first_page(self, pk: Any, position: Position, reason: ResetReason, limit: int) -> Batch:
        """Read the latest `limit` messages, or as many of them as fit into a frame."""
        page = history(pk, limit=limit, using=self.alias) if limit else None
        messages = page.messages if page else []
        before = page.before if page else None
        cursor = self.cursor(pk, position)
        struct = RoomReset(pk, reason, cursor, messages, before, limited=reason == "too-many")
        access = Access(owners_of([pk], self.alias)[pk], farewell(pk))
        return Batch(None, position, (frame(struct, cursor),), access)

    @cached_property
    def _reacted(self) -> CompiledEntries:
        """The messages above a position, and those that wait for one because of their reactions alone."""
        waiting = Q(content_modseq__isnull=False)
        return CompiledEntries(self._in_order, self.field, self.shape, self.resume_limit + 1, waiting)

    def changes(self, reads: Sequence[Read]) -> dict[Any, Batch]:
        """Encode the messages of each room; with an event, send the room's new state too."""
        moved = self._reacted.run({read.pk: read.to.modseq for read in reads}, self.alias)
        if len(moved) > self.resume_limit:
            return {read.pk: self.snapshot(read.pk, read.to, "too-many") for read in reads}
        return self._changes(self._with_texts(reads, moved) if moved else reads)

    def _with_texts(self, reads: Sequence[Read], moved: Sequence[Message]) -> list[Read]:
        """Add the messages that were changed within a read, and were away from their positions when it was made.

        A reaction had taken them up, and what is told of that, later, is the reactions alone.
        """
        texts: dict[Any, list[Message]] = {}
        for row in self.prefetch(moved):
            texts.setdefault(row.room_id, []).append(row)
        completed = []
        for read in reads:
            there = {row.pk for row in read.rows}
            rows = list(read.rows)
            for row in texts.get(read.pk, ()):
                text = row.content_modseq
                if text is not None and read.start.modseq < text <= read.to.modseq and row.pk not in there:
                    row.modseq = text
                    rows.append(row)
            rows.sort(key=attrgetter("modseq", "pk"))
            completed.append(structs.replace(read, rows=rows))
        return completed

    def _changes(self, reads: Sequence[Read]) -> dict[Any, Batch]:
        changed = [read.pk for read in reads if any(row.kind != Message.Kind.TEXT for row in read.rows)]
        infos = room_infos(changed, self.alias)
        owners = owners_of(changed, self.alias)
        batches = {}
        for read in reads:
            told = list(self._encode(read))
            access = None
            if read.pk in infos:
                told.append(frame(RoomFrame(read.pk, "changed", infos[read.pk])))
                access = Access(owners[read.pk], farewell(read.pk))
            batches[read.pk] = Batch(read.start, read.to, tuple(told), access)
        return batches

    def _encode(self, read: Read) -> Iterable[Frame]:
        items = [_changed_item(row, read.start.modseq) for row in read.rows]
        whole = iter([isinstance(item, MessageItem) for item in items])
        for start, to, raws in self.pieces(read, encoded(items)):
            told: dict[bool, list[msgspec.Raw]] = {True: [], False: []}
            for raw in raws:
                told[next(whole)].append(raw)
            yield frame(Messages(read.pk, start, to, told[True], told[False] or ()), to)


ROOM = RoomStream()
register(ROOM)


@guard(ROOM.name)
def still_members(listeners: Mapping[str, Collection[str]]) -> dict[str, Access]:
    """Return who of a room's listeners is a member: a membership may have gone without an event in the room."""
    found: dict[str, set[str]] = {pk: set() for pk in listeners}
    for part in chunks(listeners.items(), ROOMS):
        asked = Q()
        for pk, owners in part:
            asked |= Q(room=pk, user__in=owners)
        for room, user in Membership.objects.using(ROOM.alias).filter(asked).values_list("room_id", "user_id"):
            found[str(room)].add(str(user))
    return {pk: Access(frozenset(owners), farewell(int(pk))) for pk, owners in found.items()}


def farewell(pk: int) -> Frame:
    """Return the frame for a user who is no longer a member of a room."""
    return frame(RoomFrame(pk, "removed", None))


def _changed_item(row: Message, start: int) -> MessageItem | ReactionsItem:
    """Return what has changed of a message for a reader who has everything up to position `start`."""
    if row.content_modseq is None or row.content_modseq > start:
        return message_item(row)
    return ReactionsItem(row.number or 0, row.modseq or 0, _reactions(row.reactions.all()))


def message_item(row: Message, reactions: Iterable[Reaction] | None = None) -> MessageItem:
    """Return a message, read `with_people()`, as frames and the API show it."""
    deleted: Deleted | None = None
    if row.hidden_at is not None:
        deleted = "moderator"
    elif row.deleted_at is not None:
        deleted = "author"
    return MessageItem(
        number=row.number or 0,
        version=row.modseq or 0,
        kind=row.kind,
        client_id=str(row.client_id) if row.client_id else None,
        author=actor(row.author) if row.author else None,
        subject=actor(row.subject) if row.subject else None,
        body="" if deleted else row.body,
        reply_to=row.reply_to,
        created_at=row.created_at,
        edited_at=row.edited_at,
        deleted=deleted,
        reactions=[] if deleted else _reactions(row.reactions.all() if reactions is None else reactions),
    )


def _reactions(reactions: Iterable[Reaction]) -> list[ReactionItem]:
    users: dict[str, list[Any]] = {}
    for reaction in reactions:
        users.setdefault(reaction.emoji, []).append(json_key(reaction.user_id))
    return [ReactionItem(emoji, len(found), found[:REACTORS]) for emoji, found in users.items()]


def history(
    pk: int, before: int | None = None, after: int | None = None, limit: int = HISTORY_PAGE, using: str | None = None
) -> History:
    """Read a page of a room: the latest messages, or those beside a number. It has at most one frame's size.

    Args:
        pk: The room; that the reader may see it was checked before.
        before: Only lower numbers, the highest of them.
        after: Only higher numbers, the lowest of them.
        limit: Messages, from 1 to `PAGE_LIMIT`.
        using: The database.

    Raises:
        ValidationError: The limit is out of range, or both `before` and `after` are given.
    """
    validate_limit(limit, PAGE_LIMIT)
    if before is not None and after is not None:
        raise ValidationError({"after": _("Use either before or after, not both.")})
    for name, number in (("before", before), ("after", after)):
        if number is not None and not 0 <= number < 2**63:
            raise ValidationError({name: _("%(name)s must be a message number.") % {"name": name}})
    epoch, head, last = Room.objects.using(using).values_list("epoch", "head", "last_number").get(pk=pk)
    rows = Message.objects.using(using).filter(room=pk).numbered().with_people()
    if after is not None:
        rows = rows.filter(number__gt=after).order_by("number")
    elif before is None:
        rows = rows.order_by("-number")
    elif connections[rows.db].vendor == "mysql":
        # Of one room MariaDB reads all later messages first. Of a range of rooms, and be it one, it finds the number.
        rooms = Message.objects.using(using).filter(room__gte=pk, room__lte=pk).with_people()
        rows = rooms.filter(number__lt=before).order_by("-room_id", "-number")
    else:
        rows = rows.filter(number__lt=before).order_by("-number")
    numbers: list[int] = []
    messages: list[msgspec.Raw] = []
    size = 0
    for row in rows[:limit]:
        raw = encode(message_item(row))
        size += len(raw)
        if messages and size > FRAME_BYTES:
            break
        messages.append(msgspec.Raw(raw))
        numbers.append(row.number or 0)
    if after is None:
        messages.reverse()
    older = min(numbers) if numbers and min(numbers) > 1 else None
    newer = max(numbers) if numbers and max(numbers) < last else None
    return History(messages, older, newer, ROOM.cursor(pk, Position(epoch, head)))
