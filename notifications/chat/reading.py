"""Reading the chat outside its streams: the list of rooms."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils.translation import gettext as _

from ..annotations import User
from ..live.cursor import Position
from ..models import Membership, Message, Room
from ..validators import validate_limit
from .frames import ListedRoom, RoomList
from .members import LISTED, me, room_infos
from .stream import PAGE_LIMIT, ROOM, message_item

ROOMS_PAGE = 20


def list_rooms(user: User, before: str | None = None, limit: int = ROOMS_PAGE) -> RoomList:
    """Read the rooms of `user`, the most recently active first, with a constant number of queries.

    Args:
        user: Whose rooms.
        before: The `next` of the page before.
        limit: Rooms, from 1 to `PAGE_LIMIT`.

    Raises:
        ValidationError: `before` or `limit` is out of range.
    """
    validate_limit(limit, PAGE_LIMIT)
    mine = Membership.objects.using(ROOM.alias).filter(user=user.pk)
    mine = mine.select_related("room").order_by("-room__active_at", "-room_id")
    if before:
        at, pk = _list_position(before)
        mine = mine.filter(Q(room__active_at__lt=at) | Q(room__active_at=at, room__lt=pk))
    found = list(mine[: limit + 1])
    shown = found[:limit]
    pks = [row.room_id for row in shown]
    infos = room_infos(pks, ROOM.alias, limit=LISTED)
    last = {row.room_id: message_item(row) for row in _latest([row.room for row in shown])}
    rooms = [ListedRoom(infos[row.room_id], me(row), last.get(row.room_id), _room_cursor(row.room)) for row in shown]
    following = None
    if len(found) > limit:
        following = f"{shown[-1].room.active_at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}.{shown[-1].room_id}"
    return RoomList(rooms, following)


def _latest(found: Iterable[Room]) -> Iterable[Message]:
    wanted = Q()
    for room in found:
        wanted |= Q(room=room, number=room.last_number)
    return Message.objects.using(ROOM.alias).filter(wanted).with_people() if wanted else []


def _room_cursor(room: Room) -> str:
    return ROOM.cursor(room.pk, Position(room.epoch, room.head))


def _list_position(text: str) -> tuple[datetime, int]:
    at, _dot, pk = text.rpartition(".")
    try:
        moment = datetime.fromisoformat(at)
        # In the first year and the last, another time zone may be beyond the calendar.
        if moment.tzinfo is None or not 1 < moment.year < 9999 or not 0 < int(pk) < 2**63:
            raise ValueError(text)
        return moment, int(pk)
    except ValueError as bad:
        raise ValidationError({"before": _("Before must be the `next` of a previous page.")}) from bad
