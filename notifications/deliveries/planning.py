"""Planning: the deliveries of a notice are rows that are written in the transaction in which it is sent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from django.db import router
from django.utils import timezone

from ..inbox.copies import Wanted
from ..inbox.storing import plans
from ..kinds import registry
from ..kinds.waiting import AT_ONCE
from ..live.transactions import after_commit
from ..models import Delivery
from ..preferences.channels import sent
from ..preferences.topics import topic_of
from .channels import made_channel
from .digests import DIGEST_GRACE, digest_row
from .timetables import windows
from .waking import wake


@plans
def store_deliveries(want: Wanted, pks: Sequence[Any]) -> None:
    """Store what is to be sent of a notice to users who have just got a copy, with one statement for all of them.

    A channel with devices costs one query more, and digests one statement.
    """
    store_by(sent(), want, pks)


def store_by(names: Iterable[str], want: Wanted, pks: Sequence[Any]) -> None:
    """Store what is to be sent of a notice by some channels, in the caller's transaction."""
    alias = router.db_for_write(Delivery)
    now = timezone.now()
    rows = [row for name in names for row in _rows(name, want, pks, now, alias)]
    if rows:
        Delivery.objects.using(alias).bulk_create(rows, ignore_conflicts=True)
        first = min(row.due_at for row in rows if row.due_at is not None)
        after_commit(partial(wake, first), alias)


def _rows(name: str, want: Wanted, pks: Sequence[Any], now: datetime, alias: str) -> Iterator[Delivery]:
    """Yield the deliveries of one channel; a user without a device has none."""
    chosen = {pk: decision for pk in pks if (decision := want.sent(pk).get(name))}
    if not chosen:
        return
    sender = made_channel(name)
    devices: Mapping[Any, Sequence[str]] = dict.fromkeys(chosen, ("",))  # also of one that cannot be made: they say why
    if sender is not None and sender.has_devices:
        devices = sender.devices_for(want.notice, list(chosen), alias)
    topic = topic_of(want.notice.kind, want.notice.category)
    later = windows([pk for pk, decision in chosen.items() if decision.value == "digest"], topic, now, alias)
    rules = registry.get(want.notice.kind)
    due = now + (rules.wait(name) if rules else AT_ONCE).delay
    for pk, decision in chosen.items():
        for device in devices.get(pk, ()):
            whose = {"recipient_id": pk, "channel": name, "device": device, "created_at": now}
            window = later.get(pk)
            if window is not None:
                yield digest_row(pk, name, device, window, now)
            yield Delivery(
                **whose,
                notice=want.notice,
                key=str(want.notice.pk),
                rule=decision.rule,
                window=window,
                due_at=due if window is None else window + DIGEST_GRACE,
            )
