"""Edit what was sent, or is to be sent."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils.functional import Promise

from ..annotations import LevelName
from ..kinds import Kind
from ..kinds.rendering import notice_fields
from ..live.transactions import atomic, retried
from ..models import Broadcast, Notice, Notification
from ..models.content import Content
from ..twins import twin
from .actors import actor_of
from .frames import Actor
from .groups import told_by
from .rows import touch_items
from .stream import INBOX
from .validation import validate


@retried(lambda *args, **kwargs: INBOX.alias)
def edit_notice(
    notice: Notice,
    what: str | Promise | Kind | None = None,
    *,
    body: str | None = None,
    url: str | None = None,
    level: LevelName | None = None,
    category: str | None = None,
    data: dict[str, Any] | None = None,
    expires_at: datetime | None = None,
) -> int:
    """Change a notification for all its recipients, live; or one that is still to be sent.

    It joins the caller's transaction, and costs a constant number of queries. What is read stays read. An item that has
    grown by this event and shows a later one stays as it is.

    Args:
        notice: What `notify` returned.
        what: The new title, or for a notification of a kind an instance with the new facts. None leaves it.
        body: As in `notify`, and so are the others. None leaves each as it is.
        url: The link.
        level: ``"info"``, ``"success"``, ``"warning"`` or ``"error"``.
        category: Your name for a group of kinds.
        data: The JSON object for your front end.
        expires_at: An aware time after which it is hidden.

    Returns:
        How many recipients have it, or will; 0 if it was withdrawn.

    Raises:
        ValidationError: A field is beyond its limit; the field is named, and nothing is written.
        TypeError: A notification of a kind is given anything but its facts and its end, or another one facts.
        ValueError: The notice belongs to a broadcast, which `edit_broadcast` edits; or the facts are of another kind.
    """
    given: dict[str, Any] = {
        "title": what,
        "body": body,
        "url": url,
        "level": level,
        "category": category,
        "data": data,
    }
    changes = {name: value for name, value in given.items() if value is not None}
    if Broadcast.objects.using(INBOX.alias).filter(notice=notice.pk).exists():
        raise ValueError("This notice belongs to a broadcast: use edit_broadcast().")
    with atomic(INBOX.alias):
        current = Notice.objects.using(INBOX.alias).filter(pk=notice.pk, recalled_at=None).first()
        if current is None:
            return 0
        changes = changed_fields(current, what, changes, actor_of(current))
        if expires_at is not None:
            changes["expires_at"] = expires_at
        for name, value in changes.items():
            setattr(current, name, value)
        validate(current)
        current.save(using=INBOX.alias, update_fields=list(changes))
        touch_items(notice.pk)
    for name in changes:
        setattr(notice, name, getattr(current, name))
    return Notification.objects.using(INBOX.alias).filter(notice=notice.pk).count()


def changed_fields(current: Content, what: object, changes: dict[str, Any], by: Actor | None = None) -> dict[str, Any]:
    """Return how content changes: as `changes` says, or as new facts do, which somebody may have caused.

    Raises:
        TypeError: What is of a kind is given anything but its facts, or something else is given facts.
        ValueError: The facts are of another kind.
    """
    if not isinstance(what, Kind):
        if current.facts is not None and changes:
            raise TypeError(f"{current.kind} makes its {next(iter(changes))} of its facts: give an instance.")
        return changes
    if len(changes) > 1:
        beside = next(name for name in changes if name != "title")
        raise TypeError(f"{type(what).__name__} says its {beside} itself; leave the argument out.")
    made = notice_fields(told_by(what, by))
    if current.facts is None:
        raise TypeError("This notification is of no kind: give a title.")
    if made["kind"] != current.kind:
        raise ValueError(f"This notification is of the kind {current.kind}, not {made['kind']}.")
    return made


aedit_notice = twin(edit_notice)
