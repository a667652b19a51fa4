"""Which rooms the sockets of this process know to be their users': a frame that got lost is sent again.

Who comes to a room is sent a `room` frame that is stored nowhere. A slow client is not sent it, and it is lost with the
broker or with the process that sends it. So each user with a socket is compared with the database every `ROUND`
seconds, and sent what is new to them and what is gone.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import islice
from math import ceil
from typing import Any

from django.utils import timezone

from ..live.chunks import chunks
from ..live.frames import Frame, frame
from ..live.hub import Connection
from ..live.messages import Message
from ..live.relay import Relay
from ..models import Membership
from . import frames
from .members import room_infos
from .stream import ROOM, farewell

ROUND = 30.0  # seconds in which every user with a socket is compared

Sockets = Mapping[str, set[Connection]]
Rooms = dict[int, datetime]  # by the room, since when


class Welcome(Message, frozen=True, tag="welcome"):
    """Users came to a room: a `room` frame for each of their sockets."""

    room: int
    owners: list[str]
    frame: tuple[str, str]


class Roster:
    """The rooms of each user with a socket in this process, as far as the sockets know them."""

    def __init__(self, relay: Relay) -> None:
        """Make the roster of one relay."""
        self._relay = relay
        self._known: dict[str, array[int]] = {}  # by user, in the order of comparison
        self._welcomed: set[tuple[str, int]] = set()  # since the database was read
        self._at = 0.0  # the last turn
        self._since: dict[str, datetime] = {}  # when users came who were not compared yet

    def enter(self, owner: str) -> None:
        """Take note of a user's first socket: what they are added to from now on, its client may not know."""
        if owner not in self._known:
            self._since.setdefault(owner, timezone.now())

    def welcome(self, sockets: Sockets, message: Welcome) -> None:
        """Send users that they came to a room."""
        name, data = message.frame
        for owner in message.owners:
            self._welcomed.add((owner, message.room))
            if self._send(sockets, owner, [Frame(name, data.encode())]) and owner in self._known:
                self._known[owner].append(message.room)

    async def turn(self, sockets: Sockets, now: float) -> None:
        """Compare the users that are new here, and those of the others whose time has come, by the loop's clock."""
        share, self._at = min(1.0, (now - self._at) / ROUND), now
        for known in (self._known, self._since):
            for gone in known.keys() - sockets.keys():
                del known[gone]
        others = list(islice(self._known, ceil(len(self._known) * share)))
        for owners in list(chunks([*(sockets.keys() - self._known.keys()), *others])):
            self._welcomed.clear()
            rooms = await self._relay.run(_rooms, owners)
            new = {owner: self._new(owner, found) for owner, found in rooms.items()}
            told, rooms = await self._relay.run(_added, set().union(*new.values()), rooms)
            for owner in owners:
                come = [told[room] for room in new[owner] if room in told and room in rooms[owner]]
                self._tell(sockets, owner, rooms[owner], come)

    def _new(self, owner: str, rooms: Rooms) -> set[int]:
        """Return the rooms of which a user's sockets do not know."""
        if owner in self._known:
            return rooms.keys() - set(self._known[owner])
        came = self._since.get(owner) or timezone.now()
        return {room for room, since in rooms.items() if since >= came}

    def _tell(self, sockets: Sockets, owner: str, rooms: Rooms, told: list[Frame]) -> None:
        welcomed = {room for other, room in self._welcomed if other == owner}
        gone = set(self._known.get(owner, ())) - rooms.keys() - welcomed
        if self._send(sockets, owner, [*told, *map(farewell, sorted(gone))]):
            self._known.pop(owner, None)  # others come first in the next turn
            self._known[owner] = array("q", rooms.keys() | welcomed)
            self._since.pop(owner, None)

    def _send(self, sockets: Sockets, owner: str, told: Sequence[Frame]) -> bool:
        """Send frames to each socket of a user; return whether none was too slow for them."""
        found = list(sockets.get(owner, ()))
        slow = any(connection.blocked for connection in found)
        for connection in found if told else ():
            self._relay.hub.send(connection, *told)
        return not slow


def _rooms(owners: Sequence[Any]) -> dict[str, Rooms]:
    found: dict[str, Rooms] = {owner: {} for owner in owners}
    rows = Membership.objects.using(ROOM.alias).filter(user__in=owners)
    for user, room, since in rows.values_list("user_id", "room_id", "joined_at"):
        found[str(user)][room] = since
    return found


def _added(new: Iterable[int], rooms: dict[str, Rooms]) -> tuple[dict[int, Frame], dict[str, Rooms]]:
    """Return what is told of new rooms, and those of the rooms in which users still are once that was read."""
    infos = room_infos(sorted(new), ROOM.alias)
    told = {pk: frame(frames.RoomFrame(pk, "added", info)) for pk, info in infos.items()}
    now = _rooms(list(rooms)) if told else rooms
    return told, {owner: {pk: at for pk, at in found.items() if pk in now[owner]} for owner, found in rooms.items()}
