"""What a list can be narrowed to: its categories and kinds, with their numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Final

import msgspec

from ..annotations import User
from ..kinds import registry
from ..live.statements import CompiledSelect
from ..models import Notice, Notification
from ..models.inbox import NotificationQuerySet
from ..preferences.topics import categories, kind_label
from ..validators import validate_named_texts
from .searching import SEARCHED, first_rows, found_with, search_text
from .stream import INBOX, State, listed

FACETS_LIMIT: Final = 200  # pairs of a category and a kind

_NAMES = CompiledSelect(Notice.objects.all, "pk", "category", "kind")


class Facet(msgspec.Struct, frozen=True):
    """How many items of a category, or of a kind, a list has; and what people call it, in the active language."""

    name: str
    total: int
    unread: int
    label: str


class Facets(msgspec.Struct, frozen=True):
    """What a list can be narrowed to, the most frequent first. What has no name is only in the totals.

    `more` is true where the list is so long that only its first `SEARCHED` items were counted.
    """

    total: int
    unread: int
    more: bool
    categories: list[Facet]
    kinds: list[Facet]


def facets(user: User, state: State = "all") -> Facets:
    """Count what is listed in a state by category and by kind: the first `SEARCHED` items, so that it has a bound.

    Raises:
        ValidationError: `state` is none.
    """
    found = list(first_rows(user, state).values_list("notice_id", "read_at")[: SEARCHED + 1])
    items = found[:SEARCHED]
    # Read by their keys: a planner that joins and groups may prefer to read the whole table.
    named = {pk: (category, kind) for pk, category, kind in _NAMES.run([pk for pk, _read_at in items], INBOX.alias)}
    totals: Counter[tuple[str, str]] = Counter()
    unread: Counter[tuple[str, str]] = Counter()
    for pk, read_at in items:
        pair = named.get(pk, ("", ""))
        totals[pair] += 1
        unread[pair] += read_at is None
    pairs = [(*pair, total, unread[pair]) for pair, total in totals.most_common(FACETS_LIMIT)]
    kinds = {key: kind_label(rules) for key, rules in registry.items()}
    numbers = len(items), sum(unread.values()), len(found) > SEARCHED
    return Facets(*numbers, _facets(pairs, 0, categories()), _facets(pairs, 1, kinds))


def _facets(pairs: list[tuple[str, str, int, int]], column: int, labels: Mapping[str, object]) -> list[Facet]:
    totals: Counter[str] = Counter()
    unread: Counter[str] = Counter()
    for pair in pairs:
        if name := str(pair[column]):
            totals[name] += pair[2]
            unread[name] += pair[3]
    return [Facet(name, total, unread[name], str(labels.get(name, name))) for name, total in totals.most_common()]


def narrowed(user: User, state: State, category: str, kind: str, search: str) -> NotificationQuerySet:
    """Return what is `listed` of `user` in a state, of a category and a kind, and with a text in its title.

    Each of the three may be empty. Where a text is sought is said at `found_with`.

    Raises:
        ValidationError: An argument is out of range; it is named.
    """
    rows = listed(Notification.objects.using(INBOX.alias).of(user), state)
    validate_named_texts(category=category, kind=kind)
    notices = {name: value for name, value in (("category", category), ("kind", kind)) if value}
    if text := search_text(search):
        return found_with(text, user, state, Notice.objects.filter(**notices))
    return rows.filter(**{f"notice__{name}": value for name, value in notices.items()})
