"""Broadcasts by channels: deliveries are made in batches, after a broadcast was published, and just ahead of sending.

The audience is walked in the order of primary keys, and the broadcast's row says how far. A batch of deliveries and the
step behind it are one transaction; whoever makes them holds a lease, so that others walk elsewhere. A worker may be
killed at any time: its lease runs out, and somebody goes on from the step before.

No channel gets more than `AHEAD` deliveries ahead of what is sent, so that a broadcast to a million holds up nobody
else's, and a recalled one leaves little behind.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from django.contrib.auth import get_user_model
from django.db import router
from django.dispatch import receiver
from django.utils import timezone

from ..audiences import has_field, people
from ..inbox.copies import Wanted, wanted
from ..inbox.outbox import usable
from ..live.periodic import periodic
from ..live.statements import CompiledSelect
from ..live.transactions import atomic, retried
from ..models import Broadcast, Delivery
from ..models.broadcast import BroadcastState
from ..preferences.channels import sent
from ..preferences.resolving import of_broadcast
from ..signals import broadcast_sent
from .planning import store_by
from .waking import wake

logger = logging.getLogger("notifications")

BATCH: Final = 1_000  # recipients of one transaction
STEPS: Final = 10  # batches of a turn, so that other periodic tasks have theirs
AHEAD: Final = 2_000  # deliveries of a channel that are due; with more of them no batch is made
WALK_LEASE: Final = timedelta(minutes=1)
GIVE_UP: Final = timedelta(days=1)  # after which an audience, or a channel, that is gone is not waited for any more
OUT: Final = (BroadcastState.SENDING, BroadcastState.SENT)
SWEEP: Final = 5.0  # seconds after which what another process has published is found at the latest
SOON: Final = 0.2  # seconds
ROOM_PAUSE: Final = timedelta(seconds=1)  # until it is looked again whether a channel has sent what was made


@receiver(broadcast_sent, dispatch_uid="carillon.wake_for_broadcast")
def wake_for_broadcast(broadcast: Broadcast, **kwargs: Any) -> None:
    """Wake whoever makes deliveries where no process takes turns, such as workers of Django's tasks."""
    if broadcast.walk_at is not None:
        wake(broadcast.walk_at)


@periodic
def take_turn() -> float | None:
    """Make deliveries of broadcasts, in a bounded number of steps; return after how many seconds there may be more."""
    if not sent():
        return None
    if walk_some():
        return SOON
    for _state, at in _FIRST.run([*OUT], router.db_for_write(Broadcast)):
        wait: float = (at - timezone.now()) / timedelta(seconds=1)
        return max(SOON, min(SWEEP, wait))
    return SWEEP


# Compiled, because every process runs it in each turn.
_FIRST = CompiledSelect(
    lambda: Broadcast.objects.filter(walk_at__isnull=False).order_by("walk_at"), "state", "walk_at", limit=1
)


def walk_some() -> int:
    """Make some deliveries of one broadcast; return in how many steps, or 0 if none may be made now.

    Several processes may do so at once. It must run outside of transactions.
    """
    alias = router.db_for_write(Broadcast)
    while (walk := _claim(alias)) is not None:
        if steps := walk.go():
            return steps
    return 0


def _claim(alias: str) -> _Walk | None:
    """Claim the broadcast that has waited longest for its deliveries."""
    rows = Broadcast.objects.using(alias)
    now = timezone.now()
    while (found := rows.filter(walk_at__lte=now).order_by("walk_at").select_related("notice").first()) is not None:
        lease = timezone.now() + WALK_LEASE
        if rows.filter(pk=found.pk, walk_at=found.walk_at).update(walk_at=lease):
            return _Walk(alias, found, lease)
    return None


class _Walk:
    """A worker's turn with one broadcast. What it stores counts only while nobody else has taken over."""

    def __init__(self, alias: str, broadcast: Broadcast, lease: datetime) -> None:
        self._alias = alias
        self._broadcast = broadcast
        self._walked: dict[str, str] = dict(broadcast.walked)
        self._lease = lease

    def go(self) -> int:
        """Make at most `STEPS` steps, and say when the next is to be made; return how many there were."""
        if self._is_over():
            self._release(None)
            return 0
        steps = 0
        while steps < STEPS and (names := self._together()):
            if not self._step(names):
                return max(steps, 1)  # somebody has taken over, or it was recalled
            steps += 1
        now = timezone.now()
        self._release(None if not self._walked else now if steps else now + ROOM_PAUSE)
        return steps

    def _is_over(self) -> bool:
        """Return whether nothing is to be made any more; what may come back with a deploy is waited for."""
        broadcast = self._broadcast
        if broadcast.state not in OUT or broadcast.expired:
            return True
        published = broadcast.published_at or broadcast.created_at
        if published > timezone.now() - GIVE_UP:
            return False
        known = sent() if usable(broadcast) else []
        self._walked = {name: at for name, at in self._walked.items() if name in known}
        return not self._walked

    def _together(self) -> list[str]:
        """Return channels that have come equally far and have sent most of what was made."""
        known = sent() if self._walked and usable(self._broadcast) else []
        free = [name for name in self._walked if name in known and self._has_room(name)]
        return [name for name in free if self._walked[name] == self._walked[free[0]]]

    def _has_room(self, name: str) -> bool:
        due = Delivery.objects.using(self._alias).filter(channel=name, due_at__lte=timezone.now())
        return due[:AHEAD].count() < AHEAD

    def _step(self, names: Sequence[str]) -> bool:
        """Make a batch of deliveries by some channels; return whether the claim was still this worker's."""
        walked, lease = _store(self._alias, self._broadcast, self._walked, names, self._lease)
        if lease is None:
            return False
        self._walked, self._lease = walked, lease
        return True

    def _release(self, at: datetime | None) -> None:
        rows = Broadcast.objects.using(self._alias).filter(pk=self._broadcast.pk, walk_at=self._lease)
        rows.update(walk_at=at, walked=self._walked if at else {})


@retried(lambda alias, broadcast, walked, names, lease: alias)
def _store(
    alias: str, broadcast: Broadcast, walked: Mapping[str, str], names: Sequence[str], lease: datetime
) -> tuple[dict[str, str], datetime | None]:
    """Store a batch and how far it comes, in one transaction; return that, and the new lease unless it was lost."""
    pks = _members(broadcast, walked[names[0]])
    then = dict(walked)
    for name in names:
        if len(pks) < BATCH:
            del then[name]
        else:
            then[name] = str(pks[-1])
    rows = Broadcast.objects.using(alias).filter(pk=broadcast.pk, walk_at=lease, state__in=OUT)
    until = timezone.now() + WALK_LEASE
    with atomic(alias, durable=True):
        if not rows.update(walked=then, walk_at=until):
            return then, None
        if pks:
            store_by(names, _want(broadcast, pks), pks)
    return then, until


def _members(broadcast: Broadcast, after: str) -> list[Any]:
    """Return the next of the audience who were users when the broadcast was published."""
    users = people(router.db_for_write(get_user_model()))
    if after:
        users = users.filter(pk__gt=get_user_model()._meta.pk.to_python(after))
    if has_field("date_joined"):
        users = users.filter(date_joined__lte=broadcast.published_at)
    return list(broadcast.audience_of().select(users).order_by("pk").values_list("pk", flat=True)[:BATCH])


def _want(broadcast: Broadcast, pks: Sequence[Any]) -> Wanted:
    """Return what users want of a broadcast whose sender has chosen how it is sent."""
    notice: Any = broadcast.notice
    want = wanted([notice], pks)[notice.pk]
    decided = {pk: {name: of_broadcast(one) for name, one in channels.items()} for pk, channels in want.decided.items()}
    return want._replace(decided=decided)
