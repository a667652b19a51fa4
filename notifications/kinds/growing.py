"""What a kind may say of an item that has grown, and of the people who have caused it."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from typing import TypeVar

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ..bidi import begin, isolate
from .declaring import Kind, fact_names

K = TypeVar("K", bound=Kind)


def grown(made: K, events: int, count: int, actors: Sequence[str]) -> K:
    """Return an instance that knows how its item has grown; a fact of the same name stays what it is."""
    told = copy(made)
    facts = fact_names(type(made))
    for name, value in (("events", events), ("count", count), ("actors", tuple(actors))):
        if name not in facts:
            object.__setattr__(told, name, value)  # the class is frozen for those who use it
    return told


def people(actors: Sequence[str], count: int) -> str:
    """Name people in the active language: “Ann”, “Ann and Ben”, “Ann, Ben and 48 others”.

    A sentence may begin with it, whichever way the first name is written.

    Args:
        actors: The names of some of them, as a kind has them in ``self.actors``.
        count: How many they are, as in ``self.count``.
    """
    return begin(_named(actors, count))


def _named(actors: Sequence[str], count: int) -> str:
    names = [isolate(name) for name in actors[: 3 if count <= 3 else 2]]
    others = max(0, count - len(names))
    if not names:
        return (
            ngettext("%(number)s person", "%(number)s people", others) % {"number": others} if others else _("Somebody")
        )
    if not others:
        names, last = names[:-1], names[-1]
        return _("%(names)s and %(last)s") % {"names": _(", ").join(names), "last": last} if names else last
    several = ngettext("%(names)s and %(number)s other", "%(names)s and %(number)s others", others)
    return several % {"names": _(", ").join(names), "number": others}
