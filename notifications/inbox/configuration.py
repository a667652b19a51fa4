"""What a page tells the browser client: addresses, position, counts, texts and the CSRF token."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.middleware.csrf import get_token
from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import get_language

from .. import __version__
from ..live.broker import site_key
from ..live.http import user_of
from ..live.sessions import user_key
from .reading import Summary, summary
from .strings import texts

PLACEHOLDER = 1234567890  # placeholder for an item's id while the URL is built


def configuration(request: HttpRequest, socket: str = "") -> dict[str, Any]:
    """Return what the client needs to know; it is readable by every script of the page and holds nothing secret.

    Args:
        request: Of the signed-in user.
        socket: The path of the chat's WebSocket, where the inbox may use it.
    """
    numbers = summary_of(request)
    return {
        "v": 1,
        "user": user_key(request.user.pk),
        "site": site_key(),
        "urls": {**_urls(), "socket": socket or None},
        "cursor": numbers.cursor,
        "unread": numbers.unread,
        "unseen": numbers.unseen,
        "until": numbers.until and numbers.until.isoformat(),
        "csrf": csrf_of(request),
        "version": __version__,
        "language": get_language() or settings.LANGUAGE_CODE,
        "strings": texts(),
    }


def summary_of(request: HttpRequest) -> Summary:
    """Read the counts once per request, whatever the number of tags."""
    found: Summary | None = getattr(request, "_notifications_summary", None)
    if found is None:
        found = summary(user_of(request))
        request._notifications_summary = found  # type: ignore[attr-defined]
    return found


def _urls() -> dict[str, str | None]:
    item = reverse("notifications:item-action", args=[PLACEHOLDER, "read"])
    return {
        "stream": reverse("notifications:stream"),
        "changes": reverse("notifications:changes"),
        "inbox": reverse("notifications:inbox-list"),
        "item": item.replace(f"{PLACEHOLDER}/read", "{id}/{action}"),
        "bulk": reverse("notifications:bulk"),
        "archiveAll": reverse("notifications:archive-all"),
        "undo": reverse("notifications:undo"),
        "filters": reverse("notifications:filters"),
        "readAll": reverse("notifications:read-all"),
        "seen": reverse("notifications:seen"),
        "counts": reverse("notifications:counts"),
        "csrf": reverse("notifications:csrf"),
        "preferences": reverse("notifications:preferences-api"),
        "chat": reverse("notifications:chat-config"),
        "page": reverse("notifications:inbox"),
        "panel": static("notifications/panel.js"),
        "baseStyle": static("notifications/base.css"),
        "style": static("notifications/elements.css"),
    }


def csrf_of(request: HttpRequest) -> dict[str, str | None]:
    """Return how a script proves itself; the cookie, where it can be read, outlives a renewed token."""
    readable = not (settings.CSRF_USE_SESSIONS or settings.CSRF_COOKIE_HTTPONLY)
    return {
        "header": settings.CSRF_HEADER_NAME.removeprefix("HTTP_").replace("_", "-"),
        "cookie": settings.CSRF_COOKIE_NAME if readable else None,
        "token": get_token(request),
    }
