"""What is pushed: the text that a browser shows, and how a push service is to treat it (RFC 8030)."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ..live.sessions import user_key
from .messages import Message

PAYLOAD_BYTES: Final = 3_000  # of 3,993 that fit into the one record which browsers read; some services take less
SMALL_BYTES: Final = 1_000  # for a service that finds the usual too large
TITLE_LENGTH, BODY_LENGTH = 200, 500  # characters; systems show less
STORAGE_LIMIT: Final = timedelta(days=7)  # for which a push service keeps what it cannot deliver
URGENCY: Final[Mapping[str, str]] = {"warning": "high", "error": "high"}

_encode = msgspec.json.encode


def topic_of(message: Message) -> str:
    """Return what takes the place of what was not delivered yet: of an item that grows each later event does.

    It is 32 characters of base64url, as RFC 8030 wants it, and says nothing to the push service. What is sent again,
    for nobody noted that it was sent, takes its own place.
    """
    part = message.parts[0]
    of = message.id if message.is_digest else f"group {part.group}" if part.group else f"notice {part.notice}"
    digest = hashlib.sha256(f"{user_key(message.user.pk)} {message.channel} {of}".encode()).digest()
    return base64.urlsafe_b64encode(digest[:24]).decode()


def headers_of(message: Message, now: datetime) -> dict[str, str]:
    """Return how a push service is to treat a message: for how long it keeps it, and how it wakes the device."""
    return {
        "TTL": str(int(_lifetime(message, now).total_seconds())),
        "Topic": topic_of(message),
        "Urgency": "low" if message.is_digest else URGENCY.get(message.parts[0].level, "normal"),
    }


def payload_of(message: Message, unread: int, *, small: bool = False) -> bytes:
    """Return what the service worker gets, in the recipient's language: at most `PAYLOAD_BYTES`.

    What does not fit is cut. `small` has no text of the notification, and no link that is long.
    """
    part = message.parts[0]
    known = {
        "id": message.id,
        "user": user_key(message.user.pk),
        "tag": topic_of(message),
        "item": 0 if message.is_digest else part.item,
        "events": part.events,
        "lang": message.language,
        "unread": unread,
        # The item is marked by its key; what has no copy yet, a broadcast, on the way through the site.
        "url": "" if message.is_digest else part.target if part.item else part.url,
    }
    with translation.override(message.language):
        if small:
            known |= {"title": _("New notification"), "body": ""}
            return _encode(known if len(_encode(known)) <= SMALL_BYTES else known | {"url": ""})
        known |= _digest(message) if message.is_digest else _text(part.title, part.body)
    return _fit(known)


def _lifetime(message: Message, now: datetime) -> timedelta:
    ends = [part.expires_at for part in message.parts if part.expires_at is not None]
    left = min(ends) - now if ends and not message.is_digest else STORAGE_LIMIT
    return max(timedelta(0), min(left, STORAGE_LIMIT))


def _digest(message: Message) -> dict[str, Any]:
    number = len(message.parts)
    title = ngettext("%(number)s notification", "%(number)s notifications", number) % {"number": number}
    return _text(title, "\n".join(part.title for part in message.parts[:5]))


def _text(title: str, body: str) -> dict[str, Any]:
    return {"title": _cut(title, TITLE_LENGTH), "body": _cut(body, BODY_LENGTH)}


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1].rstrip()}…"


def _fit(known: dict[str, Any]) -> bytes:
    """Shorten the body, and drop the link, until it fits: a character may be four bytes, and six as JSON."""
    data = _encode(known)
    while len(data) > PAYLOAD_BYTES:
        if known["body"]:
            known = known | {"body": _cut(known["body"], len(known["body"]) // 2) if len(known["body"]) > 20 else ""}
        else:
            known = known | ({"url": ""} if known["url"] else {"title": _cut(known["title"], TITLE_LENGTH // 4)})
        data = _encode(known)
    return data
