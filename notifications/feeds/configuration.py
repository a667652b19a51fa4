"""What a page tells the script that follows feeds: addresses, texts and the CSRF token."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import get_language

from .. import __version__
from ..inbox.configuration import PLACEHOLDER, csrf_of
from ..live.broker import site_key
from ..live.sessions import user_key
from .strings import feed_texts


def feeds_configuration(request: HttpRequest, *, elements: bool) -> dict[str, Any]:
    """Return what the script needs to know; anonymous readers get nothing that is of one user, and no cookie.

    Args:
        request: Whose page it is.
        elements: Whether the page shows feeds by ``<live-value>`` and the like.
    """
    user = getattr(request, "user", None)
    signed_in = user is not None and user.is_authenticated
    return {
        "v": 1,
        "user": user_key(request.user.pk) if signed_in else "",
        "site": site_key(),
        "urls": {
            "client": static("notifications/feeds-alone.js"),
            "elements": static("notifications/feeds-elements.js") if elements else None,
            "stream": reverse("notifications:stream"),
            "changes": reverse("notifications:changes"),
            "feeds": reverse("notifications:follow-feeds"),
            "stop": reverse("notifications:stop-answer"),
            "cancel": reverse("notifications:cancel-progress", args=[PLACEHOLDER]).replace(f"{PLACEHOLDER}", "{id}"),
        },
        "csrf": csrf_of(request) if signed_in else None,
        "version": __version__,
        "language": get_language() or settings.LANGUAGE_CODE,
        "strings": feed_texts(),
    }
