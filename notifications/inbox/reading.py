"""What a user reads of the inbox: its pages, its counts and its position."""

from __future__ import annotations

from datetime import datetime
from typing import Any, get_args

import msgspec
from django.core.exceptions import ValidationError
from django.db import router
from django.db.models import Min
from django.utils.translation import gettext as _

from ..annotations import User
from ..models import Inbox, Notification
from ..validators import validate_limit, validate_text
from .counts import counts
from .frames import Item
from .outbox import collect, read_position
from .stream import INBOX, INBOX_PAGE, State, items_of, listed

PAGE_LIMIT = 100  # items of a page at most
EXPIRING = 100  # unread notifications among which the first to expire is sought


class Summary(msgspec.Struct, frozen=True):
    """A user's position and counts; the cursor is empty for a user without an inbox.

    At `until` the first of what is counted expires, so that the counts change without a word from anybody.
    """

    cursor: str
    unread: int
    unseen: int
    until: datetime | None


class Page(msgspec.Struct, frozen=True):
    """A page of items, newest first; `next` is the `before` of the following page, or None on the last."""

    items: list[Item]
    next: int | None
    cursor: str
    unread: int
    unseen: int


def summary(user: User, using: str | None = None) -> Summary:
    """Return the position and the counts of `user`.

    It costs two queries, a third if anything is unread; only broadcasts to be collected cost more.

    Args:
        user: Whose inbox.
        using: The database; where the router sends readers, if it is None, for every page of a site shows the counts.
            It is one for both queries: a cursor that is ahead of what comes with it would skip what lies between.
    """
    using = using or router.db_for_read(Inbox)
    cursor = _position(user.pk, using)
    numbers = counts([user.pk], using)[user.pk]
    until = _until(user, using) if numbers.unread else None
    return Summary(cursor, numbers.unread, numbers.unseen, until)


def page(
    user: User, state: State = "all", category: str = "", before: int | None = None, limit: int = INBOX_PAGE
) -> Page:
    """Read a page of the inbox of `user`, newest first, with three queries whatever its size.

    Args:
        user: Whose inbox.
        state: ``"unread"``, ``"all"`` (not archived) or ``"archived"``.
        category: Only this category; empty for every one.
        before: Only items with a lower id: the `next` of the page before.
        limit: Items, from 1 to `PAGE_LIMIT`.

    Raises:
        ValidationError: `state`, `category`, `before` or `limit` is out of range; the field is named.
    """
    if state not in get_args(State):
        raise ValidationError({"state": _("State must be one of unread, all, archived.")})
    try:
        validate_text(category)
    except ValidationError as error:
        raise ValidationError({"category": error}) from error
    validate_limit(limit, PAGE_LIMIT)
    cursor = _position(user.pk, INBOX.alias)  # before the rows: to apply a row twice is harmless, to miss one is not
    rows = listed(Notification.objects.using(INBOX.alias).of(user), state)
    if category:
        rows = rows.filter(notice__category=category)
    if before is not None:
        if not 0 < before < 2**63:
            raise ValidationError({"before": _("Before must be the `next` of a previous page.")})
        rows = rows.filter(pk__lt=before)
    found = list(rows[: limit + 1])
    shown = [value for value in items_of(found[:limit]) if isinstance(value, Item)]
    numbers = counts([user.pk])[user.pk]
    following = found[limit - 1].pk if len(found) > limit else None
    return Page(shown, following, cursor, numbers.unread, numbers.unseen)


def _until(user: User, using: str) -> datetime | None:
    """Return when the first of the newest unread notifications of `user` expires; the numbers go hardly further."""
    rows = Notification.objects.using(using).of(user).unread().visible().order_by("-pk")[:EXPIRING]
    until: datetime | None = rows.aggregate(until=Min("notice__expires_at"))["until"]
    return until


def _position(pk: Any, using: str) -> str:
    """Return the cursor of an inbox, once its owner has collected what was broadcast."""
    position, behind = read_position(pk, using)
    if behind and collect(INBOX, [pk]):
        position, _behind = read_position(pk, using)
    return INBOX.cursor(pk, position) if position else ""
