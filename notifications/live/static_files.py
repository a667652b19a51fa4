"""A word in the log where a site does not serve Carillon's scripts: the page itself cannot say it without them."""

from __future__ import annotations

import logging
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

from .hub import Message, Send

HINT = (
    "A browser asked for %s, and it is not there: without its script the bell is a plain link. runserver serves static "
    "files by itself, other servers do not. Wrap the application in django.contrib.staticfiles.handlers."
    "ASGIStaticFilesHandler in development; run collectstatic, and have STATIC_ROOT served, in production."
)

logger = logging.getLogger("notifications")

_said = False


def watch(scope: Any, send: Send) -> Send:
    """Return what a request is answered with: `send`, or what also looks whether one of our scripts is missing."""
    if _said or not _is_script(scope):
        return send

    async def look(message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] == 404:
            _say(scope["path"])
        await send(message)

    return look


def _is_script(scope: Any) -> bool:
    path = scope.get("path", "")
    if scope["type"] != "http" or not path.endswith(".js"):
        return False
    host, prefix = urlsplit(settings.STATIC_URL or "")[1:3]
    return bool(prefix) and not host and path.startswith(f"{prefix}notifications/")


def _say(path: str) -> None:
    """Say it once in each process."""
    global _said
    if not _said:
        _said = True
        logger.warning(HINT, path)
