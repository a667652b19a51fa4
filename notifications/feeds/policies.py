"""How a feed keeps what was published: every event, the latest value of each key, or nothing. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Log:
    """Keep events in order: a reader who was away is told all of them.

    Args:
        count: How many events are kept at least; older ones go in small steps.
        age: How long an event is kept; None means for as long as `count` lets it.
        newest: How many events a reader gets who is new, or has missed what is not kept any more.
    """

    count: int = 1_000
    age: timedelta | None = None
    newest: int = 50

    def __post_init__(self) -> None:
        """Refuse what keeps nothing."""
        if self.count < 1 or not 0 <= self.newest <= 500:
            raise ValueError("Log(count=…) keeps at least one event, and newest is between 0 and 500.")
        if self.age is not None and self.age <= timedelta(0):
            raise ValueError("Log(age=…) must be a positive timedelta, or None.")


@dataclass(frozen=True, slots=True)
class Latest:
    """Keep one value for each key: a reader gets the present values, then changes, and never a backlog.

    Args:
        key: The field of the data whose value is the key; None where the whole feed is one value.
        keys: How many keys there may be; the ones that were not changed for longest go first.
    """

    key: str | None = None
    keys: int = 1_000

    def __post_init__(self) -> None:
        """Refuse what keeps nothing."""
        if not 1 <= self.keys <= 10_000:
            raise ValueError("Latest(keys=…) is between 1 and 10,000.")


@dataclass(frozen=True, slots=True)
class Nothing:
    """Keep nothing: whoever is connected hears it, and nobody else."""


Policy = Log | Latest | Nothing
