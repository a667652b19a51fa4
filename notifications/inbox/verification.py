"""Find what changed behind the sequencer: rows deleted by raw SQL or by the database itself, and what has expired.

Whatever goes through the verbs or the ORM moves the head of an inbox, and open bells hear of it. What does not is found
by counting: if the numbers of an inbox differ though its head is where it was, its readers are told. Each open bell is
looked at every `ROUND` seconds, a part of them in each turn.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import F
from django.utils import timezone

from ..live import relay
from ..live.periodic import periodic
from ..live.sequencer import expire_cursors, sequence
from ..live.streams import Hint, Key
from ..models import Notification
from ..tenants import PerTenant
from .counts import Counts, counts
from .stream import INBOX

ROUND = 30.0  # seconds in which every open bell is looked at
TURN = 5.0  # seconds between two turns


class Seen(NamedTuple):
    """What an inbox was when it was looked at last."""

    at: datetime
    epoch: str
    head: int
    numbers: Counts


class Verification:
    """The turns of one process."""

    def __init__(self, connected: Callable[[], set[str]], clock: Callable[[], float] = time.monotonic) -> None:
        """Prepare to look at the inboxes whose keys `connected` returns."""
        self._connected = connected
        self._clock = clock
        self._seen: dict[str, Seen] = {}  # in the order in which they were looked at
        self._next = 0.0
        self._lock = threading.Lock()

    def turn(self) -> float | None:
        """Look at those that are new, and at a part of the others; return the seconds until the next turn."""
        if not self._lock.acquire(blocking=False):
            return TURN  # another event loop of this process is at it
        try:
            return self._turn()
        finally:
            self._lock.release()

    def _turn(self) -> float | None:
        here = self._connected()
        for gone in self._seen.keys() - here:
            del self._seen[gone]
        if not here:
            return None
        now = self._clock()
        if now >= self._next:
            self._next = now + TURN
            known = list(self._seen)[: int(-(-len(self._seen) * TURN // ROUND))]
            self._look([*(here - self._seen.keys()), *known])
        return self._next - now

    def _look(self, names: Sequence[str]) -> None:
        pks = {INBOX.pk(Key(INBOX.name, name)): name for name in names}
        now = timezone.now()
        found = {
            pk: Seen(now, epoch, head, Counts())
            for pk, epoch, head, _floor in INBOX.positions.run(list(pks), INBOX.alias)
        }
        changed: dict[Any, datetime] = {}
        for pk, numbers in counts(found, INBOX.alias).items():
            last = self._seen.pop(pks[pk], None)
            seen = self._seen[pks[pk]] = found[pk]._replace(numbers=numbers)
            if last is not None and last[1:3] == seen[1:3] and last.numbers != numbers:
                changed[pk] = last.at
        if changed:
            self._tell({pk: since for pk, since in changed.items() if self._stands(pk, found[pk])}, now)

    @staticmethod
    def _stands(pk: Any, seen: Seen) -> bool:
        """Return whether the head is unchanged even after stamping what was pending."""
        relay.announce(sequence(INBOX, [pk]))
        return INBOX.streams().filter(pk=pk, epoch=seen.epoch, head=seen.head).exists()

    @staticmethod
    def _tell(changed: dict[Any, datetime], now: datetime) -> None:
        """Give each inbox a position for its new numbers, below which nobody is continued if something is gone."""
        if not changed:
            return
        ended = Notification.objects.using(INBOX.alias).filter(recipient__in=list(changed))
        ended = ended.filter(notice__expires_at__gt=min(changed.values()), notice__expires_at__lte=now)
        expired = set(ended.values_list("recipient_id", flat=True))
        hints: list[Hint] = []
        for pk in sorted(changed):
            if pk in expired:  # its readers know when, and forget it by themselves
                INBOX.streams().filter(pk=pk).update(head=F("head") + 1)
                hints.append(Hint(INBOX.key(pk), INBOX.positions.run([pk], INBOX.alias)[0][2]))
            else:
                hints += expire_cursors(INBOX, [pk])
        relay.announce(hints)


_verification = PerTenant(lambda: Verification(lambda: relay.connected(INBOX)))


@periodic
def verify() -> float | None:
    """Look at a part of the open bells of this process."""
    return _verification().turn()
