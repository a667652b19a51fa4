"""What Carillon hears from Django."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.signals import user_logged_out
from django.http import HttpRequest

from .live import relay, sessions


def connect() -> None:
    """Listen for sign-out."""
    user_logged_out.connect(end_streams, dispatch_uid="carillon.end_streams")


def end_streams(request: HttpRequest | None, user: Any, **kwargs: Any) -> None:
    """End the open streams of the session that signs out, in every process, at once."""
    if user is not None and request is not None and (digest := sessions.digest(request)):
        relay.revoke(str(user.pk), digest)
