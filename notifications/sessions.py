"""A session's name in Carillon's own messages."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any


def digest(request: Any) -> str:
    """Return a name for the request's session that does not give the session away; empty without a session.

    Args:
        request: An `HttpRequest`, or a WebSocket's scope wrapped so that it has a ``session``.
    """
    session = getattr(request, "session", None)
    key = session.session_key if session is not None else None
    return blake2b(key.encode(), digest_size=12).hexdigest() if key else ""
