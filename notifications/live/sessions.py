"""Names that Carillon gives to sessions and users, which tell nothing to who reads them."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from ..exceptions import OtherUser


def digest(request: Any) -> str:
    """Return a name for the request's session that does not give the session away; empty without a session.

    Args:
        request: An `HttpRequest`, or a WebSocket's scope wrapped so that it has a ``session``.
    """
    session = getattr(request, "session", None)
    key = session.session_key if session is not None else None
    return blake2b(key.encode(), digest_size=12).hexdigest() if key else ""


def user_key(pk: Any) -> str:
    """Return a name for the user with the primary key `pk`: what a page calls the user for whom it was made."""
    return salted_hmac("notifications.user", str(pk), algorithm="sha256").hexdigest()[:20]


def check_user(claimed: str | None, pk: Any) -> None:
    """Refuse a page that was made for another user than the one who is signed in.

    Args:
        claimed: What the page calls its user; None for a program, which need not say it.
        pk: The primary key of the user who is signed in.

    Raises:
        OtherUser: They differ.
    """
    if claimed is not None and claimed != user_key(pk):
        raise OtherUser(_("Someone else has signed in since this page was loaded. Reload the page."))
