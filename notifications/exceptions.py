"""The exceptions of Carillon: one tree under `CarillonError`.

Invalid values raise Django's ``ValidationError``, which names the field; this tree holds everything else. The module
can be imported without Django, like the parts of the engine that use it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import timedelta

__all__ = [
    "AccessEnded",
    "BadCursor",
    "BadRequest",
    "BroadcastConflict",
    "CarillonError",
    "NotMember",
    "OtherUser",
    "Refused",
    "Stopped",
    "TryLater",
    "Undeliverable",
    "UnknownFeed",
]


class CarillonError(Exception):
    """The base of every exception that Carillon defines."""


class AccessEnded(CarillonError):
    """The account by which a connection was opened may do nothing any more; the connection ends."""


class BadCursor(CarillonError, ValueError):
    """The text is not a cursor."""


class BadRequest(CarillonError):
    """The request is malformed; the message says what to send instead. The API answers 400."""


class BroadcastConflict(CarillonError):
    """The broadcast's state does not allow this, or somebody else has changed it; nothing was done.

    `state` is where the broadcast is now; None if it was deleted.
    """

    def __init__(self, state: str | None) -> None:
        """Keep the present state."""
        super().__init__(f"The broadcast was changed meanwhile; it is now {state or 'deleted'}. Load it again.")
        self.state = state


class NotMember(CarillonError):
    """The user is not a member of the room, or there is no such room.

    What is raised is an ``ObjectDoesNotExist`` of Django too.
    """


class OtherUser(CarillonError):
    """Somebody else has signed in since the requesting page was loaded. The API answers 401."""


class Refused(CarillonError):
    """There are too many connections, of this user or in this process; `status` and `code` are those of the answer."""

    def __init__(self, status: int, code: str, message: str) -> None:
        """Keep the status and the code of the answer."""
        super().__init__(message)
        self.status = status
        self.code = code


class UnknownFeed(CarillonError, ValueError):
    """Nobody has declared a feed of this name; the message lists what is declared."""


class Stopped(CarillonError):
    """A reader has asked to stop what is being written: leave the ``with`` block; what was written stays."""


class TryLater(CarillonError):
    """The message could not be sent now: it is tried again, not before `after` where the other side said so.

    Where it `counts` not, nothing was tried: as when the channel itself keeps a pace.
    """

    def __init__(self, message: str, *, after: timedelta | None = None, counts: bool = True) -> None:
        """Keep for how long the other side wants to be left alone, and whether this was a try."""
        super().__init__(message)
        self.after = after
        self.counts = counts


class Undeliverable(CarillonError):
    """The message will never be taken: it is not tried again.

    With a `reason` of `Delivery.Reason`, for example ``"bounced"`` for an address that does not exist, it counts as
    skipped, otherwise as failed.
    """

    def __init__(self, message: str, *, reason: str = "") -> None:
        """Keep the reason."""
        super().__init__(message)
        self.reason = reason
