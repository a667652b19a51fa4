"""How long a channel waits whether its recipient sees a notification by itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal

from django.core.exceptions import ImproperlyConfigured

Unless = Literal["seen", "read", "never"]
WAIT_LIMIT: Final = timedelta(days=30)


@dataclass(frozen=True, init=False)
class After:
    """A channel that comes later, and only if it is still needed: ``channels={"email": After(minutes=15)}``.

    `delay` is how long it waits; `unless` what makes it needless: that the recipient has ``"seen"`` the notification
    or ``"read"`` it, or nothing (``"never"``). A channel without it is sent at once, unless it was seen meanwhile.
    """

    delay: timedelta
    unless: Unless

    def __init__(self, *, days: float = 0, hours: float = 0, minutes: float = 0, unless: Unless = "seen") -> None:
        """Wait for so long.

        Raises:
            ImproperlyConfigured: It is negative, longer than 30 days, or `unless` is not one of the three.
        """
        delay = timedelta(days=days, hours=hours, minutes=minutes)
        if not timedelta(0) <= delay <= WAIT_LIMIT:
            raise ImproperlyConfigured(f"After({delay}) must be between nothing and {WAIT_LIMIT.days} days.")
        if unless not in ("seen", "read", "never"):
            raise ImproperlyConfigured(f'After(unless={unless!r}): use "seen", "read" or "never".')
        object.__setattr__(self, "delay", delay)
        object.__setattr__(self, "unless", unless)


AT_ONCE: Final = After()
