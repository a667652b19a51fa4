"""Readers: in which language and time zone somebody reads who is not there to be asked."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.conf import settings

from ..languages import site_language


class Reader(NamedTuple):
    """A recipient, and the language and the time zone (of the IANA's names) in which the recipient reads."""

    user: Any
    language: str
    time_zone: str


def reader_of(user: Any) -> Reader:
    """Return how a user reads: as ``language`` and ``time_zone`` of the user say, where the model has them."""
    language = site_language(str(getattr(user, "language", "") or ""))
    return Reader(user, language, str(getattr(user, "time_zone", "") or settings.TIME_ZONE))
