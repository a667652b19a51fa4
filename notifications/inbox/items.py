"""Items: notifications as frames, the API and the pages show them, each in a language."""

from __future__ import annotations

from collections.abc import Container, Sequence

from django.db import router

from ..kinds.rendering import Rendered, kinds_of, reader_language, render
from ..models import Notice, Notification
from ..models.content import Level
from .abandoned import abandoned, failed
from .actors import actor
from .frames import Item, Tombstone
from .groups import People, group_of, latest_actors


def items_of(rows: Sequence[Notification], language: str | None = None) -> list[Item | Tombstone]:
    """Return notifications, read `with_content()`, as they are said.

    Rows of declared kinds cost one query for each model to which they refer, however many rows there are, and items
    that have grown one together, and so does work that is going on; others cost none.

    Args:
        rows: Of one user or of many.
        language: In which they are read; that which is active if it is None.
    """
    made = kinds_of(row.notice for row in rows if row.notice.recalled_at is None)
    language = language or (reader_language() if made else "")
    rendered = {pk: render(kind, language) for pk, kind in made.items()}
    alias = router.db_for_write(Notification)
    people = latest_actors(rows, alias)
    gone = abandoned(rows, alias)
    return [_item(row, rendered.get(row.notice_id), people, gone) for row in rows]


def _item(row: Notification, rendered: Rendered | None, people: People, gone: Container[int]) -> Item | Tombstone:
    notice = row.notice
    version = row.modseq or 0
    if notice.recalled_at is not None:
        return Tombstone(row.pk, version)
    said: Rendered | Notice = notice if rendered is None else rendered
    level, data = (Level.ERROR, failed(notice.data)) if row.notice_id in gone else (said.level, notice.data)
    return Item(
        id=row.pk,
        version=version,
        kind=notice.kind,
        category=notice.category,
        level=level,
        title=said.title,
        body=said.body,
        url=said.url,
        data=data,
        actor=actor(notice.actor) if notice.actor else None,
        created_at=notice.created_at,
        seen_at=row.seen_at,
        read_at=row.read_at,
        archived_at=row.archived_at,
        expires_at=notice.expires_at,
        rank=row.rank,
        group=group_of(row, people),
    )
