"""Rooms as streams: their messages as frames, their pages, and who is in them."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

import msgspec
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Count, F, Max, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from . import chat_frames, frames
from .chat_frames import History, ListedRoom, Me, Member, MessageItem, ReactionItem, RoomInfo, RoomList
from .cursor import Position
from .frames import ResetReason
from .hub import Audience
from .inbox import actor
from .models import Membership, Message, Presence, Room
from .models.chat import MessageQuerySet
from .streams import Batch, Family, Read, register

PAGE = 50  # messages of a first page, and of a page of the history unless asked otherwise
PAGE_LIMIT = 100  # messages or rooms of a page at most
ROOMS_PAGE = 20
LARGE = 200  # members; a room with more tells counts instead of names
REACTORS = 50  # users named on one reaction


class RoomFamily(Family):
    """The streams of messages, one per room."""

    name = "room"
    stream = Room
    entry = Message
    field = "room_id"
    resume_limit = 200

    def rows(self, entries: models.QuerySet[Any]) -> models.QuerySet[Any]:
        """Fetch the people in the same query and the reactions in one more."""
        return MessageQuerySet.with_people(entries)  # type: ignore[arg-type]

    def stamp(self, entries: models.QuerySet[Any], head: models.Subquery) -> None:
        """Set the position, and give new messages their numbers in the order in which they were written."""
        new = entries.filter(number=None).order_by("room_id", "pk").values_list("room_id", "pk")
        for room, found in groupby(list(new), key=lambda row: row[0]):
            pks = [pk for _room, pk in found]
            rooms = self.streams().filter(pk=room)
            rooms.update(last_number=F("last_number") + len(pks), active_at=timezone.now())
            first = rooms.values_list("last_number", flat=True).get() - len(pks) + 1
            numbered = [Message(pk=pk, number=number) for number, pk in enumerate(pks, first)]
            self.entries().bulk_update(numbered, ["number"])
        entries.update(modseq=head)

    def snapshot(self, pk: Hashable, position: Position, reason: ResetReason) -> Batch:
        """Read the latest page."""
        return self.first_page(pk, position, reason, PAGE)

    def first_page(self, pk: Any, position: Position, reason: ResetReason, limit: int) -> Batch:
        """Read the latest `limit` messages, or as many of them as fit into a frame."""
        page = history(pk, limit=limit, using=self.alias) if limit else None
        messages = page.messages if page else []
        before = page.before if page else None
        cursor = self.cursor(pk, position)
        frame = chat_frames.RoomReset(pk, reason, cursor, messages, before, limited=reason == "too-many")
        audience = Audience(owners_of([pk], self.alias)[pk], farewell(pk))
        return Batch(None, position, (frames.frame(frame, cursor),), audience)

    def changes(self, reads: Sequence[Read]) -> dict[Any, Batch]:
        """Encode the messages of each room; where one is an event, tell the room's members of it too."""
        changed = [read.pk for read in reads if any(row.kind != Message.Kind.TEXT for row in read.rows)]
        infos = room_infos(changed, self.alias)
        owners = owners_of(changed, self.alias)
        batches = {}
        for read in reads:
            told = list(self._encode(read))
            audience = None
            if read.pk in infos:
                told.append(frames.frame(chat_frames.RoomFrame(read.pk, "changed", infos[read.pk])))
                audience = Audience(owners[read.pk], farewell(read.pk))
            batches[read.pk] = Batch(read.start, read.to, tuple(told), audience)
        return batches

    def _encode(self, read: Read) -> Iterable[frames.Frame]:
        packed = list(frames.pack([message_item(row) for row in read.rows], read.start.modseq))
        if packed:
            packed[-1] = (read.to.modseq, packed[-1][1])
        start = self.cursor(read.pk, read.start)
        for complete, messages in packed:
            to = self.cursor(read.pk, Position(read.to.epoch, complete))
            yield frames.frame(chat_frames.Messages(read.pk, start, to, messages), to)
            start = to


ROOM = RoomFamily()
register(ROOM)


def farewell(pk: int) -> frames.Frame:
    """Return what somebody is told who is no longer in a room."""
    return frames.frame(chat_frames.RoomFrame(pk, "removed", None))


def owners_of(pks: Sequence[int], using: str | None = None) -> dict[int, frozenset[str]]:
    """Return the members of each room as owners of connections, with one query."""
    members: dict[int, set[str]] = {pk: set() for pk in pks}
    if pks:
        rows = Membership.objects.using(using).filter(room__in=pks)
        for room, user in rows.values_list("room_id", "user_id"):
            members[room].add(str(user))
    return {pk: frozenset(owners) for pk, owners in members.items()}


def message_item(row: Message) -> MessageItem:
    """Return a message, read `with_people()`, as frames and the API show it."""
    deleted: chat_frames.Deleted | None = None
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
        reactions=[] if deleted else _reactions(row),
    )


def _reactions(row: Message) -> list[ReactionItem]:
    users: dict[str, list[Any]] = {}
    for reaction in row.reactions.all():
        users.setdefault(reaction.emoji, []).append(frames.key(reaction.user_id))
    return [ReactionItem(emoji, len(found), found[:REACTORS]) for emoji, found in users.items()]


def room_infos(pks: Sequence[int], using: str | None = None) -> dict[int, RoomInfo]:
    """Return what every member may know of each room, with at most five queries."""
    if not pks:
        return {}
    memberships = Membership.objects.using(using).filter(room__in=pks)
    counts = dict(memberships.order_by().values_list("room_id").annotate(Count("id")))
    small = [pk for pk in pks if counts.get(pk, 0) <= LARGE]
    members: dict[int, list[Member]] = {pk: [] for pk in small}
    for row in memberships.filter(room__in=small).select_related("user").order_by("pk"):
        named = actor(row.user)
        members[row.room_id].append(Member(named.id, named.name, row.user.get_username(), row.role, row.last_read))
    here = present(pks, counts, using)
    return {
        room.pk: RoomInfo(
            id=room.pk,
            kind=room.kind,
            name=room.name,
            last_number=room.last_number,
            member_count=counts.get(room.pk, 0),
            members=members.get(room.pk),
            online=here[room.pk][0],
            online_count=here[room.pk][1],
        )
        for room in Room.objects.using(using).filter(pk__in=pks)
    }


def present(
    pks: Sequence[int], counts: dict[int, int], using: str | None = None
) -> dict[int, tuple[list[int | str] | None, int]]:
    """Return who is in each room now, and how many; only how many in a large one.

    Args:
        pks: The rooms.
        counts: How many members each has.
        using: The database.
    """
    small = [pk for pk in pks if counts.get(pk, 0) <= LARGE]
    found: dict[int, tuple[list[int | str] | None, int]] = {pk: ([], 0) if pk in small else (None, 0) for pk in pks}
    here = Presence.objects.using(using).filter(lease__until__gt=timezone.now()).values("user_id")
    members = Membership.objects.using(using).filter(user__in=here)
    users: dict[int, list[int | str]] = {}
    for room, user in members.filter(room__in=small).order_by("user_id").values_list("room_id", "user_id"):
        users.setdefault(room, []).append(frames.key(user))
    found |= {room: (online, len(online)) for room, online in users.items()}
    if len(small) < len(pks):
        large = members.filter(room__in=set(pks) - set(small)).order_by()
        found |= {room: (None, number) for room, number in large.values_list("room_id").annotate(Count("id"))}
    return found


def me(membership: Membership) -> Me:
    """Return what a room, fetched with `membership`, is to its member alone."""
    unread = max(0, membership.room.last_number - membership.last_read)
    return Me(membership.role, membership.last_read, membership.muted, unread)


def history(
    pk: int, before: int | None = None, after: int | None = None, limit: int = PAGE, using: str | None = None
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
    if not 1 <= limit <= PAGE_LIMIT:
        raise ValidationError({"limit": _("Limit must be between 1 and %(limit)s.") % {"limit": PAGE_LIMIT}})
    if before is not None and after is not None:
        raise ValidationError({"after": _("Give before or after, not both.")})
    for name, number in (("before", before), ("after", after)):
        if number is not None and not 0 <= number < 2**63:
            raise ValidationError({name: _("%(name)s must be the number of a message.") % {"name": name}})
    epoch, head, last = Room.objects.using(using).values_list("epoch", "head", "last_number").get(pk=pk)
    rows = Message.objects.using(using).filter(room=pk).numbered().with_people()
    if after is not None:
        rows = rows.filter(number__gt=after).order_by("number")
    else:
        rows = (rows if before is None else rows.filter(number__lt=before)).order_by("-number")
    numbers: list[int] = []
    messages: list[msgspec.Raw] = []
    size = 0
    for row in rows[:limit]:
        raw = frames.encode(message_item(row))
        size += len(raw)
        if messages and size > frames.FRAME_BYTES:
            break
        messages.append(msgspec.Raw(raw))
        numbers.append(row.number or 0)
    if after is None:
        messages.reverse()
    older = min(numbers) if numbers and min(numbers) > 1 else None
    newer = max(numbers) if numbers and max(numbers) < last else None
    return History(messages, older, newer, ROOM.cursor(pk, Position(epoch, head)))


def list_rooms(user: Any, before: str | None = None, limit: int = ROOMS_PAGE) -> RoomList:
    """Read the rooms of `user`, the most recently active first, with a constant number of queries.

    Args:
        user: Whose rooms.
        before: The `next` of the page before.
        limit: Rooms, from 1 to `PAGE_LIMIT`.

    Raises:
        ValidationError: `before` or `limit` is out of range.
    """
    if not 1 <= limit <= PAGE_LIMIT:
        raise ValidationError({"limit": _("Limit must be between 1 and %(limit)s.") % {"limit": PAGE_LIMIT}})
    mine = Membership.objects.filter(user=user).select_related("room").order_by("-room__active_at", "-room_id")
    if before:
        at, pk = _list_position(before)
        mine = mine.filter(Q(room__active_at__lt=at) | Q(room__active_at=at, room__lt=pk))
    found = list(mine[: limit + 1])
    shown = found[:limit]
    pks = [row.room_id for row in shown]
    infos = room_infos(pks)
    last = {row.room_id: message_item(row) for row in _latest(pks)}
    rooms = [ListedRoom(infos[row.room_id], me(row), last.get(row.room_id), _room_cursor(row.room)) for row in shown]
    following = None
    if len(found) > limit:
        following = f"{shown[-1].room.active_at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}.{shown[-1].room_id}"
    return RoomList(rooms, following)


def _latest(pks: Sequence[int]) -> Iterable[Message]:
    if not pks:
        return []
    newest = Message.objects.filter(room__in=pks).order_by().values("room").annotate(last=Max("number"))
    wanted = Q()
    for room, number in newest.values_list("room", "last"):
        wanted |= Q(room=room, number=number)
    return Message.objects.filter(wanted).numbered().with_people() if wanted else []


def _room_cursor(room: Room) -> str:
    return ROOM.cursor(room.pk, Position(room.epoch, room.head))


def _list_position(text: str) -> tuple[datetime, int]:
    at, _dot, pk = text.rpartition(".")
    try:
        moment = datetime.fromisoformat(at)
        if moment.tzinfo is None or not 0 < int(pk) < 2**63:
            raise ValueError(text)
        return moment, int(pk)
    except ValueError as bad:
        raise ValidationError({"before": _("Before must be the `next` of another page.")}) from bad


def usernames(names: Iterable[str]) -> Q:
    """Return the condition that a membership's user has one of these user names."""
    return Q(**{f"user__{get_user_model().USERNAME_FIELD}__in": list(names)})
