"""What a list can be narrowed to: its categories and kinds, with their numbers."""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

import msgspec
from django.db.models import Count, Q

from ..annotations import User
from ..models import Notification
from ..models.inbox import NotificationQuerySet
from ..validators import validate_named_texts
from .searching import search_text, titled, within_reach
from .stream import INBOX, State, in_state

FACETS_LIMIT: Final = 200  # pairs of a category and a kind


class Facet(msgspec.Struct, frozen=True):
    """How many items of a category, or of a kind, a list has."""

    name: str
    total: int
    unread: int


class Facets(msgspec.Struct, frozen=True):
    """What a list can be narrowed to, the most frequent first. What has no name is only in the totals."""

    total: int
    unread: int
    categories: list[Facet]
    kinds: list[Facet]


def facets(user: User, state: State = "all") -> Facets:
    """Count what is listed in a state, exactly, by category and by kind; its price grows with what is there.

    Raises:
        ValidationError: `state` is none.
    """
    rows: Any = in_state(Notification.objects.using(INBOX.alias).of(user), state).visible().order_by()
    numbers = {"total": Count("pk"), "unread": Count("pk", filter=Q(read_at=None))}
    columns = ("notice__category", "notice__kind", "total", "unread")
    grouped = rows.values("notice__category", "notice__kind").annotate(**numbers).order_by("-total")
    pairs = list(grouped.values_list(*columns)[: FACETS_LIMIT + 1])
    total, unread = sum(pair[2] for pair in pairs), sum(pair[3] for pair in pairs)
    if len(pairs) > FACETS_LIMIT:
        total, unread = rows.aggregate(**numbers).values()
    return Facets(total, unread, _facets(pairs, 0), _facets(pairs, 1))


def _facets(pairs: list[tuple[str, str, int, int]], column: int) -> list[Facet]:
    totals: Counter[str] = Counter()
    unread: Counter[str] = Counter()
    for pair in pairs[:FACETS_LIMIT]:
        if name := str(pair[column]):
            totals[name] += pair[2]
            unread[name] += pair[3]
    return [Facet(name, total, unread[name]) for name, total in totals.most_common()]


def narrowed(rows: NotificationQuerySet, category: str, kind: str, search: str) -> NotificationQuerySet:
    """Keep what is of a category and a kind, and has a text in its title (see `titled`); each may be empty.

    Raises:
        ValidationError: One of them is out of range; it is named.
    """
    validate_named_texts(category=category, kind=kind)
    text = search_text(search)
    if text:
        rows = within_reach(rows)
    if category:
        rows = rows.filter(notice__category=category)
    if kind:
        rows = rows.filter(notice__kind=kind)
    return titled(rows, text) if text else rows
