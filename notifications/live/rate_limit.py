"""Token buckets: a burst, and a rate per second, for each client and for each user. Pure."""

from __future__ import annotations

from collections.abc import Callable, Hashable


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

    def take(self, now: float, cost: float = 1.0) -> float:
        """Take `cost` tokens and return 0; where there are not so many, return the seconds until there are."""
        wait = self.wait(now, cost)
        if wait:
            self.refused += 1
            return wait
        self._tokens -= cost
        self.refused = 0
        return 0.0

    def wait(self, now: float, cost: float = 1.0) -> float:
        """Return the seconds until there are `cost` tokens, at most all of them; 0 if there are."""
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
        self._at = now
        return max(0.0, min(cost, self._burst) - self._tokens) / self._rate

    def full_in(self, now: float) -> float:
        """Return the seconds until it is as full as a new one."""
        return self.wait(now, self._burst)


class Budgets:
    """A bucket for each owner, which all of an owner's clients share.

    One is forgotten when its owner's last client has left and it would be full again: leaving and coming again
    does not fill it.
    """

    def __init__(
        self,
        rate: float,
        burst: int,
        clock: Callable[[], float],
        later: Callable[[float, Callable[[], None]], object],
    ) -> None:
        """Prepare.

        Args:
            rate: Tokens per second of each owner.
            burst: How many an owner has at once.
            clock: Monotonic seconds.
            later: Calls a function after some seconds.
        """
        self._rate = rate
        self._burst = burst
        self._clock = clock
        self._later = later
        self._buckets: dict[Hashable, Bucket] = {}
        self._clients: dict[Hashable, int] = {}
        self._filling: set[Hashable] = set()  # buckets without a client, each with its one timer

    def __len__(self) -> int:
        """Return how many owners have a bucket."""
        return len(self._buckets)

    def enter(self, owner: Hashable) -> Bucket:
        """Return the bucket that a new client of `owner` shares with the others; `leave` gives it back."""
        self._clients[owner] = self._clients.get(owner, 0) + 1
        if owner not in self._buckets:
            self._buckets[owner] = Bucket(self._rate, self._burst, self._clock())
        return self._buckets[owner]

    def leave(self, owner: Hashable) -> None:
        """Take note that a client of `owner` has left."""
        self._clients[owner] -= 1
        if not self._clients[owner]:
            del self._clients[owner]
            self._forget(owner)

    def _forget(self, owner: Hashable) -> None:
        """Forget the bucket of an owner who is gone, now or as soon as it is full."""
        if owner in self._clients or owner in self._filling:
            return
        if wait := self._buckets[owner].full_in(self._clock()):
            self._filling.add(owner)
            self._later(wait, lambda: self._look(owner))
        else:
            del self._buckets[owner]

    def _look(self, owner: Hashable) -> None:
        self._filling.discard(owner)
        self._forget(owner)
