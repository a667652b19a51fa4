"""Presence: who is online, under a lease per process, so that a killed process's users go offline."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Iterable, Sequence
from datetime import timedelta
from weakref import WeakKeyDictionary

from django.contrib.auth import get_user_model
from django.db.models import Count
from django.utils import timezone

from ..live.chunks import chunks
from ..live.frames import frame
from ..live.hub import Connection
from ..live.locks import lock_free
from ..live.messages import Message, handles
from ..live.relay import Relay
from ..live.streams import Key
from ..live.transactions import atomic, retried
from ..live.workers import Terms
from ..models import Lease, Membership, Presence
from . import frames
from .members import online_members
from .roster import Roster, Welcome
from .stream import ROOM

logger = logging.getLogger("notifications")

LEASE = 15.0  # seconds; with the others' next poll, a killed process's users are offline within 20
LOOK = 4.0  # seconds between polls of the database, each of which renews the lease
SETTLE = 0.25  # seconds; arrivals of a reconnect storm are written together
LEAVE = 15.0  # seconds; a reload must not flicker

Told = tuple[list[int | str] | None, int]  # who is in a room, and how many


class PresenceChanged(Message, frozen=True, tag="presence"):
    """Users connected to a process, or disconnected: poll the database now."""


class PresenceTracker:
    """The users with a socket in this process, and the presence last sent to the rooms that are open here."""

    def __init__(self, relay: Relay) -> None:
        """Make the tracker of one relay."""
        self._relay = relay
        self._sockets: dict[str, set[Connection]] = {}
        self._process = secrets.token_hex(8)
        self._written: set[str] = set()  # owners whose presence is stored
        self._leaving: dict[str, float] = {}  # owners without a socket, and when that counts
        self._told: dict[int, Told] = {}
        self._roster = Roster(relay)
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def enter(self, connection: Connection) -> None:
        """Take note of a socket."""
        owner = connection.owner
        self._sockets.setdefault(owner, set()).add(connection)
        self._leaving.pop(owner, None)
        self._roster.enter(owner)
        if owner not in self._written:
            self.refresh_soon()
        if self._task is None:
            self._task = self._relay.loop.create_task(self._watch())

    def leave(self, connection: Connection) -> None:
        """Forget a socket; its user leaves a while after the last one."""
        sockets = self._sockets.get(connection.owner)
        if sockets is None:
            return
        sockets.discard(connection)
        if not sockets:
            del self._sockets[connection.owner]
            self._leaving[connection.owner] = self._relay.loop.time() + LEAVE

    def refresh_soon(self) -> None:
        """Read the database now rather than at the next turn."""
        self._wake.set()

    async def _watch(self) -> None:
        while self._sockets or self._written:
            try:
                async with asyncio.timeout(LOOK):
                    await self._wake.wait()
                    await asyncio.sleep(SETTLE)
            except TimeoutError:
                pass
            self._wake.clear()
            try:
                await self.turn(self._relay.loop.time())
            except Exception:
                logger.exception("Could not keep presence; the next turn repeats it.")
        self._task = None

    async def turn(self, now: float) -> None:
        """Store who came and, at `now`, has gone, and renew the lease; then send the open rooms what changed."""
        gone = {owner for owner, at in self._leaving.items() if at <= now}
        here = (self._written - gone) | set(self._sockets)
        changed = here != self._written
        # Among the writers: waiting for a lock, it must not hold up what is read.
        await self._relay.writers.run(Terms(None), _write, self._process, here, self._written)
        self._written = here
        for owner in gone:
            self._leaving.pop(owner, None)
        if changed:
            self._relay.post_to_others(PresenceChanged())
        rooms = [ROOM.pk(key) for key in self._relay.hub.streams if key.type == ROOM.name]
        told: dict[int, Told] = {}
        for chunk in list(chunks(rooms)):
            told |= await self._relay.run(_read, chunk)
        for pk, state in told.items():
            if self._told.get(pk) != state:
                self._publish(ROOM.key(pk), pk, state)
        self._told = told
        await self._roster.turn(self._sockets, now)

    def welcome(self, message: Welcome) -> None:
        """Send users with a socket here that they came to a room."""
        self._roster.welcome(self._sockets, message)

    def _publish(self, key: Key, pk: int, state: Told) -> None:
        online, count = state
        self._relay.hub.publish_ephemeral(key, frame(frames.PresenceFrame(pk, online, count)))


_trackers: WeakKeyDictionary[Relay, PresenceTracker] = WeakKeyDictionary()


def tracker(relay: Relay) -> PresenceTracker:
    """Return the tracker of a relay, making it for its first socket."""
    found = _trackers.get(relay)
    if found is None:
        found = _trackers[relay] = PresenceTracker(relay)
    return found


@handles(PresenceChanged)
def _on_presence_changed(relay: Relay, message: PresenceChanged) -> None:
    if relay in _trackers:
        _trackers[relay].refresh_soon()


@handles(Welcome)
def _on_welcome(relay: Relay, message: Welcome) -> None:
    if relay in _trackers:
        _trackers[relay].welcome(message)


@retried(lambda process, here, written: ROOM.alias)
def _write(process: str, here: set[str], written: set[str]) -> None:
    """Renew the lease of `process` and make the stored users those of `here`."""
    now = timezone.now()
    leases = Lease.objects.using(ROOM.alias)
    with atomic(ROOM.alias):
        if not here:
            leases.filter(pk=process).delete()
            return
        if not leases.filter(pk=process).update(until=now + timedelta(seconds=LEASE)):
            # The first time, or this process was silent for so long that another one cleared it away.
            expired = leases.filter(until__lt=now - timedelta(seconds=LEASE))
            expired.filter(pk__in=lock_free(expired, list(expired.values_list("pk", flat=True)), ROOM.alias)).delete()
            leases.create(process=process, until=now + timedelta(seconds=LEASE))
            written = set()
        _add(process, here - written)
        if gone := written - here:
            Presence.objects.using(ROOM.alias).filter(lease=process, user_id__in=gone).delete()


def _add(process: str, owners: Iterable[str]) -> None:
    users = get_user_model()._base_manager.using(ROOM.alias)
    for chunk in chunks(sorted(owners)):
        found = users.filter(pk__in=chunk).values_list("pk", flat=True)
        rows = [Presence(lease_id=process, user_id=pk) for pk in found]
        Presence.objects.using(ROOM.alias).bulk_create(rows, ignore_conflicts=True)


def _read(pks: Sequence[int]) -> dict[int, Told]:
    rows = Membership.objects.using(ROOM.alias).filter(room__in=pks).order_by()
    counts = dict(rows.values_list("room_id").annotate(Count("id")))
    return online_members(pks, counts, ROOM.alias)
