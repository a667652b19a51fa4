"""The feeds of the site under test: one policy each, and anybody who is signed in may follow."""

from __future__ import annotations

from typing import Any

from notifications.feeds import Latest, Log, Nothing, feed


@feed("bench:{pk:int}", keep=Log(count=1_000))
def bench(user: Any, pk: int) -> bool:
    """Keep what was published."""
    return True


@feed("value:{pk:int}", keep=Latest())
def value(user: Any, pk: int) -> bool:
    """Keep one value."""
    return True


@feed("live:{pk:int}", keep=Nothing())
def live(user: Any, pk: int) -> bool:
    """Keep nothing."""
    return True
