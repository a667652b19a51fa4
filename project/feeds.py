"""What the demo's pages follow."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext

from notifications.feeds import Latest, Log, feed
from notifications.services import present_events

from .live_samples import STATE_NAMES


def order_context(user: Any, pk: int) -> dict[str, Any]:
    """Return what the template of an order shows: the latest that was published of it, and how far it is."""
    known = present_events(f"orders:{pk}")
    state = str(known[-1].get("state", "")) if known else "new"
    place = list(STATE_NAMES).index(state) if state in STATE_NAMES else -1
    steps = [number <= place for number in range(len(STATE_NAMES))]
    return {"state": gettext(STATE_NAMES[state]) if state in STATE_NAMES else state, "steps": steps}


@feed("orders:{pk:int}", keep=Latest(), context=order_context)
def order(user: Any, pk: int) -> bool:
    """Show orders to everybody who is signed in; a shop would ask whose it is."""
    return True


@feed("prices", keep=Latest(key="symbol"), every=0.1, public=True)
def prices(user: Any) -> bool:
    """Show prices to everybody."""
    return True


@feed("log:{name:slug}", keep=Log(count=500))
def log(user: Any, name: str) -> bool:
    """Show logs to staff."""
    return bool(user.is_staff)


@feed("journal", keep=Log(count=500, newest=50), every=0.1)
def journal(user: Any) -> bool:
    """Show the tower's log to everybody who is signed in."""
    return True


@feed("assistant:{pk:int}", keep=Log(count=100))
def assistant(user: Any, pk: int) -> bool:
    """Show everybody their own answers."""
    return bool(user.pk == pk)
