"""What a user reads of the inbox: its pages, its counts and its position."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

import msgspec
from django.core.exceptions import ValidationError
from django.db import router
from django.db.models import Min, Q
from django.utils.translation import gettext as _

from ..annotations import User
from ..live.cursor import parse
from ..models import Inbox, Notification
from ..validators import validate_limit
from .counts import counts
from .filters import narrowed
from .frames import Item
from .items import items_of
from .outbox import collect, read_position
from .stream import INBOX, INBOX_PAGE, State

PAGE_LIMIT = 100  # items of a page at most
_PLACE = re.compile(r"(?:(?P<rank>[0-9]{1,18})\.)?(?P<pk>[0-9]{1,19})")  # of an item in a list

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
    next: str | None
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
    user: User,
    state: State = "all",
    category: str = "",
    before: str | int | None = None,
    limit: int = INBOX_PAGE,
    *,
    kind: str = "",
    search: str = "",
) -> Page:
    """Read a page of the inbox of `user`, newest first, in the language that is active.

    It costs three queries whatever its size, and one for each model to which notifications of declared kinds refer.

    Items that have grown take one query more, and a search some more; see `found_with`.

    Args:
        user: Whose inbox.
        state: ``"unread"``, ``"all"`` (not archived), ``"archived"`` or ``"snoozed"``.
        category: Only this category; empty for every one.
        before: Only what follows a page: its `next`. The id of an item means those with a lower one.
        limit: Items, from 1 to `PAGE_LIMIT`.
        kind: Only this kind; empty for every one.
        search: Only what has this text in its title, as it is shown or as it is stored; see `found_with`.

    Raises:
        ValidationError: An argument is out of range; it is named.
    """
    validate_limit(limit, PAGE_LIMIT)
    cursor = _position(user.pk, INBOX.alias)  # before the rows: to apply a row twice is harmless, to miss one is not
    rows = narrowed(user, state, category, kind, search)
    if before is not None:
        rows = rows.filter(_after(str(before)))
    found = list(rows[: limit + 1])
    shown = [value for value in items_of(found[:limit]) if isinstance(value, Item)]
    numbers = counts([user.pk])[user.pk]
    following = _place(found[limit - 1]) if len(found) > limit else None
    return Page(shown, following, cursor, numbers.unread, numbers.unseen)


def seen_at(cursor: str, item: Item) -> str:
    """Return the cursor of what an item shows, on a page with a cursor; empty where it has no position yet.

    The page's own is read before its rows: an item may be ahead of it, and would be taken for one that came later.
    """
    position = parse(cursor).get(INBOX.name)
    if position is None or not item.version:
        return ""
    return INBOX.cursor(None, position._replace(modseq=item.version))


def _place(row: Notification) -> str:
    return f"{row.rank}.{row.pk}"


def _after(place: str) -> Q:
    """Return the condition of what stands behind a place in a list."""
    found = _PLACE.fullmatch(place)
    if found is None or not 0 < (pk := int(found["pk"])) < 2**63:
        raise ValidationError({"before": _("Before must be the `next` of a previous page.")})
    if found["rank"] is None:
        return Q(pk__lt=pk)
    rank = int(found["rank"])
    return Q(rank__lte=rank) & ~Q(rank=rank, pk__gte=pk)  # a range, which an index knows, and what is not of it


def _until(user: User, using: str) -> datetime | None:
    """Return when the first of the newest unread notifications of `user` expires; the numbers go hardly further."""
    rows = Notification.objects.using(using).of(user).unread().visible().ranked()[:EXPIRING]
    until: datetime | None = rows.aggregate(until=Min("notice__expires_at"))["until"]
    return until


def _position(pk: Any, using: str) -> str:
    """Return the cursor of an inbox, once its owner has collected what was broadcast."""
    position, behind = read_position(pk, using)
    if behind and collect(INBOX, [pk]):
        position, _behind = read_position(pk, using)
    return INBOX.cursor(pk, position) if position else ""
