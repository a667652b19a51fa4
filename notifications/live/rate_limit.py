"""A token bucket: a burst, and a rate per second. Pure."""

from __future__ import annotations


class Bucket:
    """Count what one client may do."""

    __slots__ = ("_at", "_burst", "_rate", "_tokens", "refused")

    def __init__(self, rate: float, burst: int, now: float) -> None:
        """Begin full: `burst` tokens, refilled by `rate` per second."""
        self._rate = rate
        self._burst = float(burst)
        self._tokens = float(burst)
        self._at = now
        self.refused = 0  # in a row

    def take(self, now: float) -> float:
        """Take a token and return 0; where there is none, return the seconds until there is one."""
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
        self._at = now
        if self._tokens >= 1:
            self._tokens -= 1
            self.refused = 0
            return 0.0
        self.refused += 1
        return (1 - self._tokens) / self._rate
