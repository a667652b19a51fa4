"""Membership: a room's members, who of them is online, and each member's own state."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from ..conf import conf
from ..inbox.actors import actor, handle
from ..live.frames import json_key
from ..models import Membership, Message, Presence, Room
from .frames import Me, Member, RoomInfo

LARGE = 200  # members; a larger room reports counts instead of names
MEMBERSHIP = (Message.Kind.JOINED, Message.Kind.LEFT)  # events after which a room has another number of members
LISTED = 10  # members; the same in a list of rooms, most of which are not opened


def is_large(room: Room) -> bool:
    """Return whether a room has so many members that they are counted, not named."""
    return room.size > LARGE


def member_count() -> Subquery:
    """Return how many members a queried room has; null for none."""
    places = Membership.objects.filter(room=OuterRef("pk")).order_by().values("room")
    return Subquery(places.annotate(number=Count("pk")).values("number"))


def count_members(rooms: QuerySet[Room]) -> None:
    """Write down how many members each of `rooms` has."""
    rooms.update(size=Coalesce(member_count(), 0))


def owners_of(pks: Sequence[int], using: str | None = None) -> dict[int, frozenset[str]]:
    """Return the members of each room as owners of connections, with one query."""
    members: dict[int, set[str]] = {pk: set() for pk in pks}
    if pks:
        rows = Membership.objects.using(using).filter(room__in=pks)
        for room, user in rows.values_list("room_id", "user_id"):
            members[room].add(str(user))
    return {pk: frozenset(owners) for pk, owners in members.items()}


def room_infos(pks: Sequence[int], using: str | None = None, limit: int = LARGE) -> dict[int, RoomInfo]:
    """Return what every member may know of each room, with at most five queries.

    Args:
        pks: The rooms.
        using: The database.
        limit: A room with more members reports counts instead of names.
    """
    if not pks:
        return {}
    memberships = Membership.objects.using(using).filter(room__in=pks)
    counts = dict(memberships.order_by().values_list("room_id").annotate(Count("id")))
    small = [pk for pk in pks if counts.get(pk, 0) <= limit]
    members: dict[int, list[Member]] = {pk: [] for pk in small}
    for row in memberships.filter(room__in=small).select_related("user").order_by("pk"):
        named = actor(row.user)
        members[row.room_id].append(Member(named.id, named.name, handle(row.user), row.role, row.last_read))
    here = online_members(pks, counts, using, limit)
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


def online_members(
    pks: Sequence[int], counts: dict[int, int], using: str | None = None, limit: int = LARGE
) -> dict[int, tuple[list[int | str] | None, int]]:
    """Return which members of each room are online, and how many; for a large room only how many.

    Args:
        pks: The rooms.
        counts: How many members each has.
        using: The database.
        limit: A room with more members is only counted.
    """
    small = [pk for pk in pks if counts.get(pk, 0) <= limit]
    found: dict[int, tuple[list[int | str] | None, int]] = {pk: ([], 0) if pk in small else (None, 0) for pk in pks}
    here = Presence.objects.using(using).filter(lease__until__gt=timezone.now()).values("user_id")
    members = Membership.objects.using(using).filter(user__in=here)
    users: dict[int, list[int | str]] = {}
    for room, user in members.filter(room__in=small).order_by("user_id").values_list("room_id", "user_id"):
        users.setdefault(room, []).append(json_key(user))
    found |= {room: (online, len(online)) for room, online in users.items()}
    if len(small) < len(pks):
        large = members.filter(room__in=set(pks) - set(small)).order_by()
        found |= {room: (None, number) for room, number in large.values_list("room_id").annotate(Count("id"))}
    return found


def me(membership: Membership) -> Me:
    """Return what a room, fetched with `membership`, is to its member alone."""
    unread = max(0, membership.room.last_number - membership.last_read)
    return Me(membership.role, membership.last_read, membership.muted, unread)


def handles(names: Iterable[str]) -> Q:
    """Return the condition that a membership's user is mentioned by one of these names; nobody is without a handle."""
    return Q(**{f"user__{conf.HANDLE}__in": list(names)}) if conf.HANDLE else Q(pk__in=())
