"""The rows that a recipient's verbs are about, and how they change."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import partial
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.db import OperationalError, transaction
from django.db.models import Case, DateTimeField, F, Value, When
from django.utils.translation import gettext as _

from ..annotations import User
from ..exceptions import BadCursor
from ..live import cursor, relay
from ..live.commit import sequence_after_commit
from ..live.django_internals import in_transaction
from ..live.patience import patience
from ..live.streams import Hint
from ..live.transactions import after_commit, atomic, retried
from ..models import Notification
from ..models.inbox import NotificationQuerySet
from .stream import INBOX

IDS_LIMIT = 1_000  # notifications named by one call
TOUCH_PATIENCE: Final = 0.25  # seconds for which an inbox is held while somebody else holds one of its rows

logger = logging.getLogger("notifications")


def named(user: User, ids: Iterable[int], up_to: str | None = None) -> NotificationQuerySet:
    """Return the items of `user` with the primary keys `ids`, but for those that have grown since the cursor `up_to`.

    Raises:
        ValidationError: There are too many ids, one is not a number, or `up_to` is not a cursor of this inbox.
    """
    ids = list(ids)
    if len(ids) > IDS_LIMIT:
        raise ValidationError({"ids": _("At most %(limit)s notifications at a time.") % {"limit": IDS_LIMIT}})
    if not all(isinstance(pk, int) and 0 < pk < 2**63 for pk in ids):
        raise ValidationError({"ids": _("Each id must be the ID of a notification.")})
    return arrived(user, up_to).items().filter(pk__in=ids)


def arrived(user: User, up_to: str | None) -> NotificationQuerySet:
    """Return what had arrived for `user` at the cursor `up_to`, or everything.

    Raises:
        ValidationError: `up_to` is not a cursor of this inbox.
    """
    rows = rows_of(user)
    if up_to is None:
        return rows
    if not up_to:
        return rows.none()
    try:
        position = cursor.parse(up_to).get(INBOX.name)
    except BadCursor as error:
        raise ValidationError({"up_to": str(error)}) from error
    if position is None or not INBOX.streams().filter(pk=user.pk, epoch=position.epoch).exists():
        raise ValidationError(
            {"up_to": _("This cursor does not belong to the current inbox. Reload the page and try again.")}
        )
    return rows.filter(arrival__lte=position.modseq)


def archiving(now: datetime) -> dict[str, Any]:
    """Return the changes that archive items, and remember until when those sleep that did.

    In this order, for MySQL reads what it has just set.
    """
    return {"archived_at": now, "previous_snooze": F("snoozed_until"), "snoozed_until": None}


def restoring(now: datetime) -> dict[str, Any]:
    """Return the changes that revert those of `archiving` or of a snooze: back to the inbox, or to sleep as before."""
    away = Case(When(previous_snooze=None, then=Value(None)), default=Value(now), output_field=DateTimeField())
    return {"archived_at": away, "snoozed_until": F("previous_snooze")}


def rows_of(user: User) -> NotificationQuerySet:
    """Return all rows of `user`, in the primary database."""
    return Notification.objects.using(INBOX.alias).of(user)


def touch_items(notice: int) -> None:
    """Have all who have a notice, by its primary key, told of it anew; it joins the caller's transaction."""
    items = Notification.objects.using(INBOX.alias).filter(notice=notice).items()
    items.touch()
    sequence_after_commit(INBOX, items.values_list("recipient_id", flat=True))


@retried(lambda *args, **changes: INBOX.alias)
def touch(user: User, rows: NotificationQuerySet, **changes: Any) -> int:
    """Change rows of `user`, and have that told after the commit; return how many there were."""
    with atomic(INBOX.alias):
        changed = rows.touch(**changes)
        # Also if nothing is left to change: a database that has waited for a row keeps it locked until the commit, and
        # whoever changed it first has then passed over it in stamping.
        sequence_after_commit(INBOX, [user.pk])
    return changed


def touch_all(user: User, rows: NotificationQuerySet, **changes: Any) -> int:
    """Change rows of `user` as `touch` does, however many there are: each is written once.

    `touch` leaves the positions to the sequencer, which gives them to some hundred rows at a time. Here the inbox is
    held meanwhile, so that the rows get theirs together with the change. That is for nobody who has a transaction open,
    which may last, nor for longer than `TOUCH_PATIENCE` if a row is another's: then it is left to `touch`.
    """
    if not in_transaction(INBOX.alias):
        try:
            with patience(INBOX.alias, TOUCH_PATIENCE):
                if changed := _touch_and_stamp(user, rows, changes):
                    return changed
        except OperationalError as error:
            logger.debug("Rows of inbox %s are changed first and stamped afterwards: %r", user.pk, error)
    return touch(user, rows, **changes)


def _touch_and_stamp(user: User, rows: NotificationQuerySet, changes: Mapping[str, Any]) -> int:
    alias = INBOX.alias
    with atomic(alias, durable=True):
        INBOX.advance.run([user.pk], alias)
        heads = [head for _pk, _epoch, head, _floor in INBOX.positions.run([user.pk], alias)]
        stamped = rows.filter(modseq__isnull=False).update(**changes, modseq=heads[0]) if heads else 0
        if not stamped:
            transaction.set_rollback(True, using=alias)
            return 0
        # What waits for its position may also wait to be placed.
        pending = rows.filter(modseq=None).touch(**changes)
        hint = Hint(INBOX.key(user.pk), heads[0])
        after_commit(partial(relay.announce, [hint]), alias)
        sequence_after_commit(INBOX, [user.pk])
    return stamped + pending
