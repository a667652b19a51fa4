"""On whose behalf a connection is held: what it keeps so that this can be asked again while it is open. Pure."""

from __future__ import annotations

from hashlib import blake2b
from typing import NamedTuple


class Identity(NamedTuple):
    """A user, and the sign-in by which a connection was opened.

    Attributes:
        owner: The user's primary key, as text.
        session: The key of the session; empty where the server keeps none, so that it cannot be asked for.
        stamp: A fingerprint of what the user's sessions depend on, the password above all; empty without any.
        at: When this was decided, in seconds since 1970: what was revoked later does not hold any more.
    """

    owner: str
    session: str = ""
    stamp: bytes = b""
    at: float = 0.0

    def __repr__(self) -> str:
        """Name the owner alone: who has a session's key has the session."""
        return f"Identity({self.owner!r})"


NOBODY = Identity("")


def digest(session: str) -> bytes:
    """Return a name for a session that does not give the session away; empty without one."""
    return blake2b(session.encode(), digest_size=12).digest() if session else b""
