"""The functions of broadcasts: publish, edit, recall."""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection, Iterator
from datetime import datetime
from typing import Any, TypedDict, Unpack

from django.core.exceptions import ValidationError
from django.db import models, router
from django.db.models import F
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from ..annotations import LevelName, User
from ..exceptions import BroadcastConflict
from ..inbox.editing import changed_fields
from ..inbox.outbox import OUTBOX_STREAM
from ..inbox.storing import tell_witnesses
from ..kinds import Kind
from ..kinds.subjects import is_orphaned
from ..live import relay
from ..live.sequencer import sequence
from ..live.transactions import after_commit, atomic
from ..models import Broadcast, Notice
from ..models.broadcast import OUTBOX, BroadcastState
from ..models.content import CONTENT
from ..preferences.channels import validate_sent
from ..signals import broadcast_sent
from ..twins import twin
from ..validators import validate_time
from .history import remember

WAITING = (BroadcastState.DRAFT, BroadcastState.SCHEDULED)
OUT = (BroadcastState.SENDING, BroadcastState.SENT)
EDITABLE = (*CONTENT, "audience", "channels", "publish_at")
SAID = frozenset(CONTENT) - {"expires_at"}  # what a kind says itself


class BroadcastFields(TypedDict, total=False):
    """What `edit_broadcast` may change; the last three only until the broadcast is sent."""

    title: str
    body: str
    url: str
    level: LevelName
    category: str
    texts: dict[str, dict[str, str]] | None
    expires_at: datetime | None
    audience: dict[str, Any]
    channels: list[str]
    publish_at: datetime | None


def publish_broadcast(broadcast: Broadcast, *, by: User | None = None) -> Broadcast:
    """Send a draft to its audience, or schedule it if its `publish_at` lies in the future.

    A constant number of queries, whatever the audience's size. It joins the caller's transaction; whoever is
    connected gets a copy after the commit, everybody else when they next connect or list.

    Args:
        broadcast: A draft, saved or not, or a scheduled one that is rescheduled as it now says.
        by: Who did it, for the admin's history.

    Returns:
        The broadcast, in its new state.

    Raises:
        ValidationError: A field is wrong; the field is named.
        BroadcastConflict: It was sent already, or changed since it was loaded.
    """
    validate_broadcast(broadcast)
    with atomic(router.db_for_write(Broadcast)):
        if broadcast._state.adding:
            broadcast.save(force_insert=True)
        if broadcast.publish_at is not None and broadcast.publish_at > timezone.now():
            move(broadcast, WAITING, state=BroadcastState.SCHEDULED, problem="")
            _after_commit(relay.request_sweep)
        else:
            send_out(broadcast, WAITING)
        remember(broadcast, by, _("Scheduled.") if broadcast.state in WAITING else _("Sent."))
    return broadcast


def edit_broadcast(
    broadcast: Broadcast, what: Kind | None = None, *, by: User | None = None, **fields: Unpack[BroadcastFields]
) -> Broadcast:
    """Change a broadcast; one that was sent changes in every open tab.

    Args:
        broadcast: One that was not recalled.
        what: For a broadcast of a kind, an instance with the new facts. None leaves them.
        by: Who did it, for the admin's history.
        fields: What to change: title, body, url, level, category, texts, expires_at and, as long as it was not
            sent, audience, channels and publish_at.

    Returns:
        The broadcast with its new content.

    Raises:
        ValidationError: A field is wrong; the field is named.
        BroadcastConflict: It was recalled, or changed since it was loaded.
        TypeError: One of a kind is given what it says itself, or one without a kind is given facts.
        ValueError: The facts are of another kind.
    """
    out = broadcast.state in OUT
    _refuse_fields(fields, allowed=CONTENT if out else EDITABLE)
    if out and broadcast.expired:
        raise ValidationError(_("This broadcast has expired and is no longer visible. Create a new one."))
    edited = copy.copy(broadcast)
    changes = _changes(broadcast, what, dict(fields))
    for name, value in changes.items():
        setattr(edited, name, value)
    validate_broadcast(edited)
    with atomic(router.db_for_write(Broadcast)):
        if out:
            move(broadcast, OUT, **changes, modseq=None)
            _notice(broadcast).update(**broadcast.notice_fields())
            _after_commit(post)
        else:
            if edited.audience != broadcast.audience:  # its size is counted anew when somebody asks
                move(broadcast, WAITING, **changes, reach=None, reach_exact=False)
            else:
                move(broadcast, WAITING, **changes)
            _after_commit(relay.request_sweep)
        remember(broadcast, by, _changed(broadcast, fields if what is None else ["facts", *fields]))
    return broadcast


def recall_broadcast(broadcast: Broadcast, *, by: User | None = None) -> Broadcast:
    """Take a broadcast back: it vanishes from every inbox. A scheduled one becomes a draft again.

    Args:
        broadcast: One that is scheduled or was sent.
        by: Who did it, for the admin's history.

    Returns:
        The broadcast, in its new state.

    Raises:
        BroadcastConflict: It was recalled already, or changed since it was loaded.
    """
    now = timezone.now()
    with atomic(router.db_for_write(Broadcast)):
        if broadcast.state == BroadcastState.SCHEDULED:
            move(broadcast, (BroadcastState.SCHEDULED,), state=BroadcastState.DRAFT)
            remember(broadcast, by, _("Schedule cancelled."))
        else:
            move(broadcast, OUT, state=BroadcastState.RECALLED, recalled_at=now, modseq=None)
            _notice(broadcast).update(recalled_at=now)
            _after_commit(post)
            remember(broadcast, by, _("Recalled."))
    return broadcast


apublish_broadcast = twin(publish_broadcast)
aedit_broadcast = twin(edit_broadcast)
arecall_broadcast = twin(recall_broadcast)


def validate_broadcast(broadcast: Broadcast, *, due: bool = False) -> None:
    """Check all fields of a broadcast that is to go out, now or, unless it is `due`, at its time.

    Raises:
        ValidationError: Fields are wrong; each is named.
    """
    errors: dict[str, Any] = {}
    try:
        broadcast.clean_fields(exclude=["author", "notice", "outbox"])
    except ValidationError as error:
        errors = error.update_error_dict(errors)
    if broadcast.state in WAITING and "audience" not in errors:
        try:
            broadcast.audience_of().validate()
        except ValidationError as error:
            errors["audience"] = error
    if due and is_orphaned(broadcast):
        errors["about"] = ValidationError(_("What it is about has been deleted."))
    if broadcast.state in WAITING and "channels" not in errors:
        try:
            validate_sent(broadcast.channels)
        except ValidationError as error:
            errors["channels"] = error
    for name, message in _time_errors(broadcast, timezone.now(), due):
        errors.setdefault(name, message)
    if errors:
        raise ValidationError(errors)


def _time_errors(broadcast: Broadcast, now: datetime, due: bool) -> Iterator[tuple[str, Any]]:
    publish_at, expires_at = broadcast.publish_at, broadcast.expires_at
    naive = False
    for name, at in (("publish_at", publish_at), ("expires_at", expires_at)):
        try:
            if at is not None and not due:
                validate_time(at)
        except ValidationError as error:
            yield name, error
            naive |= error.code == "naive"
    if naive:  # it cannot be compared
        return
    if broadcast.state in WAITING and not due:
        if publish_at is None and broadcast.state == BroadcastState.SCHEDULED:
            yield "publish_at", _("A scheduled broadcast needs a time. To send it now, cancel the schedule first.")
        if publish_at is not None and publish_at <= now:
            yield (
                "publish_at",
                _("This time is in the past. Choose a later one, or leave it empty to send immediately."),
            )
    if expires_at is not None and expires_at <= now:
        yield "expires_at", _("This time is in the past: nobody would see the broadcast.")
    elif expires_at is not None and publish_at is not None and expires_at <= publish_at:
        yield "expires_at", _("The broadcast would expire before it is sent.")


def post() -> None:
    """Assign positions to pending changes of broadcasts, and have every process collect them."""
    if sequence(OUTBOX_STREAM, [OUTBOX]):
        relay.request_sweep()


def send_out(broadcast: Broadcast, states: Collection[str]) -> None:
    """Publish inside a transaction. The first statement decides who does it."""
    now = timezone.now()
    changes = {"state": BroadcastState.SENDING, "published_at": now, "problem": "", "outbox_id": OUTBOX}
    walk = {"walked": dict.fromkeys(broadcast.channels, ""), "walk_at": now if broadcast.channels else None}
    move(broadcast, states, **changes, **walk, modseq=None)
    notice = Notice(**broadcast.notice_fields(), created_at=now)
    notice.save(force_insert=True)
    Broadcast.objects.filter(pk=broadcast.pk).update(notice=notice)
    broadcast.notice = notice
    tell_witnesses(notice, ())
    _after_commit(post)
    _after_commit(lambda: broadcast_sent.send_robust(Broadcast, broadcast=broadcast))


def _notice(broadcast: Broadcast) -> models.QuerySet[Notice]:
    return Notice.objects.using(OUTBOX_STREAM.alias).filter(
        pk__in=Broadcast.objects.filter(pk=broadcast.pk).values("notice_id")
    )


def move(broadcast: Broadcast, states: Collection[str], **changes: Any) -> None:
    """Change a broadcast that is in one of `states` and was not changed since it was loaded: compare and set."""
    this = Broadcast.objects.using(OUTBOX_STREAM.alias).filter(pk=broadcast.pk)
    found = this.filter(state__in=states, revision=broadcast.revision)
    if not found.update(**changes, revision=F("revision") + 1):
        raise BroadcastConflict(this.values_list("state", flat=True).first())
    for name, value in changes.items():
        setattr(broadcast, name, value)
    broadcast.revision += 1


def _changes(broadcast: Broadcast, what: Kind | None, fields: dict[str, Any]) -> dict[str, Any]:
    """Return all fields that change: those that were given, and those that new facts make."""
    if not isinstance(what, Kind | None):
        raise TypeError(f"`what` must be an instance of a kind, not {type(what).__name__}; a title is given as title=.")
    said = {name: value for name, value in fields.items() if name in SAID}
    told = changed_fields(broadcast, what, said if what is None else said | {"title": what})
    return {name: value for name, value in fields.items() if name not in SAID} | told


def _changed(broadcast: Broadcast, fields: Collection[str]) -> list[object]:
    """Name the fields as the admin's own entries do, which are translated when they are read."""
    names = {field.name: field.verbose_name for field in broadcast._meta.fields}
    with translation.override(None):
        return [{"changed": {"fields": [str(names[name]) for name in fields]}}]


def _after_commit(function: Callable[[], object]) -> None:
    after_commit(function, router.db_for_write(Broadcast))


def _refuse_fields(fields: Collection[str], allowed: Collection[str]) -> None:
    if refused := sorted(set(fields) - set(allowed)):
        message = _("This can no longer be changed. You can still change: %(allowed)s.") % {
            "allowed": ", ".join(allowed)
        }
        raise ValidationError(dict.fromkeys(refused, message))
