"""Validators of a notification's fields; each error states the limit."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.core.serializers.json import DjangoJSONEncoder
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

TITLE_LENGTH = 200  # characters
BODY_LENGTH = 4_000  # characters
URL_LENGTH = 2_000  # characters; the longest that every browser follows
DATA_BYTES = 8 * 1024  # of JSON
LAST_YEAR = 9998  # the end of the next one is beyond the calendar in the time zones that are ahead
DATA_DEPTH = 30  # objects and lists in one another; MariaDB stores fewer than 32

_SPACE = re.compile(r"[\s\x00-\x1f\x7f]")
_UNSAFE_IN_URL = re.compile(r"[\x00-\x20\x7f\\]")
_NULL_IN_JSON = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")


def validate_text(value: str) -> None:
    """Refuse what no database and no JSON parser can carry: the null character and lone surrogates."""
    if "\x00" in value:
        raise ValidationError(_("Null characters are not allowed."), code="null_character")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        message = _("The text is not valid Unicode: it contains a lone surrogate.")
        raise ValidationError(message, code="surrogate") from error


def validate_line(value: str) -> None:
    """Accept text of one line."""
    validate_text(value)
    if value.splitlines() not in ([], [value]):
        raise ValidationError(_("Use a single line, without line breaks."), code="line_break")


def validate_time(value: datetime) -> None:
    """Accept a time with a time zone that every other time zone can show."""
    if timezone.is_naive(value):
        raise ValidationError(_("Use a time with a time zone, for example timezone.now() + …"), code="naive")
    if value.year > LAST_YEAR:
        message = _("Choose an earlier time, no later than the year %(year)s.")
        raise ValidationError(message, code="too_late", params={"year": LAST_YEAR})


def validate_emoji(value: str) -> None:
    """Accept a short text without spaces or control characters, an emoji or a name for one."""
    validate_text(value)
    if not value or _SPACE.search(value):
        raise ValidationError(_("Enter one emoji, without spaces."), code="emoji")


def validate_link(value: str) -> None:
    """Accept an http or https address or a path of this site, so that a link can never run a script."""
    validate_text(value)
    if not _UNSAFE_IN_URL.search(value):
        if value.startswith("/") and not value.startswith("//"):
            return
        try:
            parts = urlsplit(value)
        except ValueError:
            parts = None
        if parts and parts.scheme in ("http", "https") and parts.netloc:
            return
    raise ValidationError(
        _("Enter a URL that starts with http:// or https://, or a path that starts with a single slash."),
        code="link",
    )


def validate_data(value: Any) -> None:
    """Accept a JSON object of at most `DATA_BYTES` and `DATA_DEPTH`."""
    plain_data(value)


def plain_data(value: Any) -> Any:
    """Return a JSON object as it is stored: what Django's encoder knows (times, decimals, UUIDs, lazy text) is text.

    Raises:
        ValidationError: It is no object, larger than `DATA_BYTES`, deeper than `DATA_DEPTH`, or holds something else.
    """
    if not isinstance(value, dict):
        raise ValidationError(_("Data must be a JSON object (a dict)."), code="not_an_object")
    if _is_deeper(value, DATA_DEPTH):
        raise ValidationError(
            _("Data is nested more than %(limit)s levels deep."), code="too_deep", params={"limit": DATA_DEPTH}
        )
    try:
        text = json.dumps(value, cls=DjangoJSONEncoder, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        size = len(text.encode())
    except (TypeError, ValueError) as error:
        raise ValidationError(
            _("Data must be plain JSON: %(reason)s."), code="not_json", params={"reason": error}
        ) from error
    if _NULL_IN_JSON.search(text):
        raise ValidationError(_("Null characters are not allowed."), code="null_character")
    if size > DATA_BYTES:
        raise ValidationError(
            _("Data is %(size)s bytes of JSON; the limit is %(limit)s."),
            code="too_large",
            params={"size": size, "limit": DATA_BYTES},
        )
    return json.loads(text)


def _is_deeper(value: Any, levels: int) -> bool:
    if isinstance(value, dict):
        value = value.values()
    elif not isinstance(value, list | tuple):
        return False
    return levels == 0 or any(_is_deeper(child, levels - 1) for child in value)
