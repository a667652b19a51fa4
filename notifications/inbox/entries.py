"""Entries: notifications as streams read them. A few columns, no model, and one notice for all who have a copy of it.

A notification to a thousand connected users is a thousand rows to read and one content. Django's instances, and their
notices one by one, would cost twenty times what the database takes.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from ..live.statements import CompiledObjects
from ..models import Notice, Notification


class Entry(msgspec.Struct, gc=False):
    """A notification, with what is shown of it."""

    pk: int
    recipient_id: Any
    notice_id: int
    modseq: int
    arrival: int | None
    rank: int
    group: str | None
    actor_key: str | None
    growth: Any
    seen_at: datetime | None
    read_at: datetime | None
    archived_at: datetime | None
    snoozed_until: datetime | None
    toast: bool
    notice: Notice = None  # type: ignore[assignment]  # until `with_notices` has been called


Row = Notification | Entry

COLUMNS = tuple(name for name in Entry.__struct_fields__ if name != "notice")

_NOTICES = CompiledObjects(Notice.objects.all, ("actor",))


def entry(values: Sequence[Any], alias: str) -> Entry:
    """Make an entry of `COLUMNS`."""
    return Entry(*values)


def with_notices(entries: Sequence[Entry], alias: str) -> list[Entry]:
    """Give entries their notices, each of which is read once; leave out those whose notice was deleted meanwhile."""
    notices = _NOTICES.objects(sorted({one.notice_id for one in entries}), alias)
    kept = [one for one in entries if one.notice_id in notices]
    for one in kept:
        one.notice = notices[one.notice_id]
    return kept
