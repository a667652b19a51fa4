"""What the pages of both towns may follow."""

from __future__ import annotations

from typing import Any

from notifications.feeds import Log, Nothing, feed


@feed("news", keep=Log(count=100))
def news(user: Any) -> bool:
    return True


@feed("weather", keep=Nothing(), every=0.05)
def weather(user: Any) -> bool:
    return True
