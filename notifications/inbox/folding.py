"""The rows of the events that an item has grown by."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import connections

from ..models import Notification

# What an event changes of an item, and of a row that is folded into it.
CHANGED = (
    "notice", "dedupe_key", "actor_key", "folded_into", "growth", "rank",
    "modseq", "arrival", "seen_at", "archived_at",
    "snoozed_until",
)  # fmt: skip


def folded(item: Notification, now: Any) -> Notification:
    """Return a new row for the event that an item shows, to be folded into it."""
    return Notification(
        recipient_id=item.recipient_id,
        notice_id=item.notice_id,
        dedupe_key=item.dedupe_key,
        actor_key=item.actor_key,
        group=item.group,
        rank=item.rank,
        folded_into=item.pk,
        archived_at=now,
        modseq=0,
    )


def update(entries: Any, rows: Sequence[Notification]) -> None:
    """Write what differs from row to row by one statement; the cases of ``bulk_update`` take ten times as long."""
    target = connections[entries.db].features.supports_update_conflicts_with_target
    unique: dict[str, Any] = {"unique_fields": ["id"]} if target else {}
    entries.bulk_create(list(rows), update_conflicts=True, update_fields=CHANGED, **unique)
