"""What a test expects of a notice, and the words for what was sent instead."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ..models import Notice
from ..models.content import CONTENT

FIELDS: Final = (*CONTENT, "kind", "data", "actor")
SHOWN: Final = ("kind", "url")  # beside the title, in a list of what was sent


@dataclass(frozen=True, slots=True)
class Expected:
    """What a test expects of a notice: values by field."""

    values: Mapping[str, Any]

    @classmethod
    def of(cls, title: str | None, fields: Mapping[str, Any]) -> Expected:
        """Take the arguments of an assertion.

        Raises:
            TypeError: A notice has no such field.
        """
        if unknown := [name for name in fields if name not in FIELDS]:
            legal = ", ".join(sorted(FIELDS))
            raise TypeError(f"A notification has no field {unknown[0]!r}; it has {legal}.")
        return cls(fields if title is None else {"title": str(title), **fields})

    def __str__(self) -> str:
        """Say it in words."""
        if not self.values:
            return "anything"
        return ", ".join(f"{name}={value!r}" for name, value in self.values.items())

    def differences(self, notice: Notice) -> list[str]:
        """Say in which fields a notice is different."""
        found = [(name, getattr(notice, name), value) for name, value in self.values.items()]
        return [f"{name} is {is_!r}, not {value!r}" for name, is_, value in found if is_ != value]

    def nearest(self, notices: Sequence[Notice]) -> Iterator[str]:
        """Say of the first of those that have the most in common with what is expected where it differs."""
        number, notice = min(enumerate(notices, 1), key=lambda one: len(self.differences(one[1])))
        yield f"The nearest is {number}, but:"
        for difference in self.differences(notice):
            yield f"  its {difference}"

    @staticmethod
    def describe(notice: Notice) -> str:
        """Name a notice in a list."""
        more = [f"{name}={value!r}" for name in SHOWN if (value := getattr(notice, name))]
        return ", ".join([repr(notice.title), *more])


def times(count: int) -> str:
    """Return “once”, “twice” or “7 times”."""
    return {1: "once", 2: "twice"}.get(count, f"{count} times")
