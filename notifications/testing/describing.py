"""What a test expects of a notification, and the words for what was sent instead."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from django.db.models import Model
from django.utils.functional import Promise

from ..kinds import Gone, Kind
from ..kinds.declaring import fact_names
from ..models import Notice
from ..models.content import CONTENT

FIELDS: Final = (*CONTENT, "kind", "data", "actor")
SHOWN: Final = ("kind", "url")  # beside the title, in a list of what was sent


class Sending(NamedTuple):
    """A notice with the primary keys of those who have it and, if it has a declared kind, its instance of that."""

    notice: Notice
    recipients: frozenset[Any]
    made: Kind | None

    def __str__(self) -> str:
        """Name it in a list."""
        if self.made is not None:
            return f"{self.made!r}, which says {self.notice.title!r}"
        more = [f"{name}={value!r}" for name in SHOWN if (value := getattr(self.notice, name))]
        return ", ".join([repr(self.notice.title), *more])


@dataclass(frozen=True, slots=True)
class Expected:
    """What a test expects of a notification."""

    cls: type[Kind] | None
    facts: Mapping[str, Any]
    fields: Mapping[str, Any]

    @classmethod
    def of(cls, what: str | Promise | type[Kind] | Kind | None, given: Mapping[str, Any]) -> Expected:
        """Take the arguments of an assertion.

        Raises:
            TypeError: There is no such fact or field.
        """
        kind = type(what) if isinstance(what, Kind) else what
        if not isinstance(kind, type):
            kind = None
        names = fact_names(kind) if kind is not None else []
        if unknown := [name for name in given if name not in names and name not in FIELDS]:
            whose = kind.__name__ if kind is not None else "A notification"
            raise TypeError(f"{whose} has no {unknown[0]!r}; it has {', '.join(sorted({*names, *FIELDS}))}.")
        facts = {name: getattr(what, name) for name in names} if isinstance(what, Kind) else {}
        facts |= {name: value for name, value in given.items() if name in names}
        fields = {name: value for name, value in given.items() if name not in names}
        if kind is None and what is not None:
            fields = {"title": str(what), **fields}
        return cls(kind, facts, fields)

    def __str__(self) -> str:
        """Say it in words."""
        if self.cls is not None:
            facts = ", ".join(f"{name}={value!r}" for name, value in self.facts.items())
            return ", ".join([f"{self.cls.__name__}({facts})", *self._fields()])
        return ", ".join(self._fields()) or "anything"

    def differences(self, sending: Sending) -> list[str]:
        """Say in what a notification is different."""
        if self.cls is not None and not isinstance(sending.made, self.cls):
            name = type(sending.made).__name__ if sending.made is not None else repr(sending.notice.kind)
            return [f"kind is {name}, not {self.cls.__name__}"]
        found = [(name, getattr(sending.made, name), value) for name, value in self.facts.items()]
        found += [(name, getattr(sending.notice, name), value) for name, value in self.fields.items()]
        return [f"{name} is {is_!r}, not {value!r}" for name, is_, value in found if not _same(is_, value)]

    def nearest(self, sendings: Sequence[Sending]) -> Iterator[str]:
        """Say of the first of those that have the most in common with what is expected where it differs."""
        number, nearest = min(enumerate(sendings, 1), key=lambda one: self._distance(one[1]))
        yield f"The nearest is {number}, but:"
        for difference in self.differences(nearest):
            yield f"  its {difference}"

    def _distance(self, sending: Sending) -> tuple[bool, int]:
        other = self.cls is not None and not isinstance(sending.made, self.cls)
        return other, len(self.differences(sending))

    def _fields(self) -> list[str]:
        return [f"{name}={value!r}" for name, value in self.fields.items()]


def _same(fact: Any, expected: Any) -> bool:
    """Return whether a fact is what a test expects; an instance may be given by its key, and may be deleted since."""
    if isinstance(fact, Gone) and isinstance(expected, fact.model):
        return str(fact.pk) == str(expected.pk)
    if isinstance(fact, Gone | Model) and not isinstance(expected, Gone | Model):
        return expected is not None and str(fact.pk) == str(expected)
    return bool(fact == expected)


def times(count: int) -> str:
    """Return “once”, “twice” or “7 times”."""
    return {1: "once", 2: "twice"}.get(count, f"{count} times")
