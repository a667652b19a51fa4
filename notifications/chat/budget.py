"""What one client, and one user with all clients, may ask of the chat."""

from __future__ import annotations

from weakref import WeakKeyDictionary

from ..live.rate_limit import Bucket, Budgets
from ..live.relay import Relay

RATE = 20.0  # commands per second
BURST = 200  # commands at once: a client that comes back opens its rooms and empties its outbox
USER_RATE = 40.0  # commands per second of all sockets of a user in this process
USER_BURST = 400
REFUSALS = 200  # refused commands in a row before the socket is closed
KIBIBYTE = 1_024  # bytes of a command that cost as much as one more: what is long is read, stored and sent to many

_budgets: WeakKeyDictionary[Relay, Budgets] = WeakKeyDictionary()


class Budget:
    """What one socket may do: its own share, and its part of what its user may."""

    __slots__ = ("_budgets", "_own", "_owner", "_relay", "_shared")

    def __init__(self, relay: Relay, owner: str) -> None:
        """Begin for a new socket of `owner`; `leave` ends it."""
        budgets = _budgets.get(relay)
        if budgets is None:
            budgets = _budgets[relay] = Budgets(USER_RATE, USER_BURST, relay.loop.time, relay.loop.call_later)
        self._relay = relay
        self._owner = owner
        self._budgets = budgets
        self._own = Bucket(RATE, BURST, relay.loop.time())
        self._shared = budgets.enter(owner)

    def take(self, size: int) -> float:
        """Pay for a command of `size` characters; return how many seconds the client must wait for it, 0 for none."""
        now = self._relay.loop.time()
        cost = 1 + size // KIBIBYTE
        if wait := self._shared.wait(now, cost):
            self._own.refused += 1
            return wait
        if not (wait := self._own.take(now, cost)):
            self._shared.take(now, cost)
        return wait

    @property
    def is_exhausted(self) -> bool:
        """Whether the client goes on although so much of it was refused."""
        return self._own.refused > REFUSALS

    def leave(self) -> None:
        """Take note that the socket is closed."""
        self._budgets.leave(self._owner)
