"""One feed of each policy, and one that not everybody may follow."""

from __future__ import annotations

from typing import Any

from notifications.feeds import Latest, Log, Nothing, feed
from notifications.services import present_events

NEWEST = 20  # of a log: what a reader gets who is new or was away for too long; few, for it hides what was lost


@feed("all:{n:int}", keep=Log(count=1_000_000, newest=NEWEST))
def everything(user: Any, n: int) -> bool:
    """Keep all that was published."""
    return True


@feed("short:{n:int}", keep=Log(count=100, newest=NEWEST), every=0.05)
def short(user: Any, n: int) -> bool:
    """Keep little, and let the rest go while it is read."""
    return True


@feed("latest:{n:int}", keep=Latest(key="key"), every=0.05)
def latest(user: Any, n: int) -> bool:
    """Keep the latest value of each key, and tell it 20 times a second at most."""
    return True


@feed("live:{n:int}", keep=Nothing())
def live(user: Any, n: int) -> bool:
    """Keep nothing."""
    return True


@feed("private:{n:int}", keep=Log(count=1_000_000, newest=NEWEST))
def private(user: Any, n: int) -> bool:
    """Let those follow who are in the feed's group."""
    return bool(user.groups.filter(name=f"private:{n}").exists())


def shown_context(user: Any, n: int) -> dict[str, Any]:
    """Return what the live part shows."""
    known = present_events(f"shown:{n}")
    return {"value": known[-1]["value"] if known else 0}


@feed("shown:{n:int}", keep=Latest(), context=shown_context)
def shown(user: Any, n: int) -> bool:
    """Show a number that moves."""
    return True
