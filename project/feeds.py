"""What the demo's pages follow."""

from __future__ import annotations

from typing import Any

from notifications.feeds import Latest, Log, feed
from notifications.services import present_events


def order_context(user: Any, pk: int) -> dict[str, Any]:
    """Return what the template of an order shows: the latest that was published of it."""
    known = present_events(f"orders:{pk}")
    return {"order": known[-1] if known else {"state": "new"}}


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


@feed("assistant:{pk:int}", keep=Log(count=100))
def assistant(user: Any, pk: int) -> bool:
    """Show everybody their own answers."""
    return bool(user.pk == pk)
