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
    or ``"read"`` it, or nothing (``"never"``). `unless_sent` names another channel, which makes it needless too if it
    has sent the notification by then. A channel without any of this is sent at once, unless it was seen meanwhile.
    """

    delay: timedelta
    unless: Unless
    unless_sent: str

    def __init__(
        self, *, days: float = 0, hours: float = 0, minutes: float = 0, unless: Unless = "seen", unless_sent: str = ""
    ) -> None:
        """Wait for so long.

        Raises:
            ImproperlyConfigured: It is negative or longer than 30 days, or `unless` and `unless_sent` are not as above.
        """
        delay = timedelta(days=days, hours=hours, minutes=minutes)
        if not timedelta(0) <= delay <= WAIT_LIMIT:
            raise ImproperlyConfigured(f"After({delay}) must be between nothing and {WAIT_LIMIT.days} days.")
        if unless not in ("seen", "read", "never"):
            raise ImproperlyConfigured(f'After(unless={unless!r}): use "seen", "read" or "never".')
        if not isinstance(unless_sent, str):
            raise ImproperlyConfigured(f"After(unless_sent={unless_sent!r}): name a channel.")
        object.__setattr__(self, "delay", delay)
        object.__setattr__(self, "unless", unless)
        object.__setattr__(self, "unless_sent", unless_sent)


AT_ONCE: Final = After()
