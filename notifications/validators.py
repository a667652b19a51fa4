"""Validators of a notification's fields; each error states the limit."""

from __future__ import annotations

import json
import re
import unicodedata
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.serializers.json import DjangoJSONEncoder
from django.core.validators import MaxLengthValidator
from django.db.models import Field
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

TITLE_LENGTH = 200  # characters
BODY_LENGTH = 4_000  # characters
URL_LENGTH = 2_000  # characters; the longest that every browser follows
DATA_BYTES = 8 * 1024  # of JSON
LAST_YEAR = 9998  # the end of the next one is beyond the calendar in the time zones that are ahead
FIRST_YEAR = 2  # for the same reason
DATA_DEPTH = 30  # objects and lists in one another; MariaDB stores fewer than 32

# Extended_Pictographic (UTS #51, emoji-data.txt): what may begin an emoji. Blocks are set aside for those to come.
_PICTOGRAPHS = (
    "\u00a9\u00ae\u203c\u2049\u2122\u2139\u2194-\u2199\u21a9\u21aa\u231a\u231b\u2328\u2388\u23cf\u23e9-\u23f3\u23f8-\u23fa"
    "\u24c2\u25aa\u25ab\u25b6\u25c0\u25fb-\u25fe\u2600-\u2605\u2607-\u2612\u2614-\u2685\u2690-\u2705\u2708-\u2712\u2714\u2716"
    "\u271d\u2721\u2728\u2733\u2734\u2744\u2747\u274c\u274e\u2753-\u2755\u2757\u2763-\u2767\u2795-\u2797\u27a1\u27b0\u27bf"
    "\u2934\u2935\u2b05-\u2b07\u2b1b\u2b1c\u2b50\u2b55\u3030\u303d\u3297\u3299\U0001f000-\U0001f0ff\U0001f10d-\U0001f10f"
    "\U0001f12f\U0001f16c-\U0001f171\U0001f17e\U0001f17f\U0001f18e\U0001f191-\U0001f19a\U0001f201-\U0001f20f\U0001f21a"
    "\U0001f22f\U0001f232-\U0001f23a\U0001f23c-\U0001f23f\U0001f249-\U0001f3fa\U0001f400-\U0001f53d\U0001f546-\U0001f64f"
    "\U0001f680-\U0001f6ff\U0001f774-\U0001f77f\U0001f7d5-\U0001f7ff\U0001f90c-\U0001f93a\U0001f93c-\U0001f945"
    "\U0001f947-\U0001faff"
)
_ELEMENT = f"[{_PICTOGRAPHS}](?:[\U0001f3fb-\U0001f3ff]|\ufe0f)?"  # with a skin tone, or shown as a picture
_EMOJI = re.compile(
    f"{_ELEMENT}(?:\u200d{_ELEMENT}){{0,3}}"  # joined: the longest are families, and couples that kiss
    "|[\U0001f1e6-\U0001f1ff]{2}"  # the flag of a country
    "|\U0001f3f4[\U000e0020-\U000e007e]{1,6}\U000e007f"  # of a part of one
    "|[0-9#*]\ufe0f?\u20e3"  # a key
)
# Letters and signs that are blank, and marks that only choose how another character looks (Default_Ignorable).
_BLANK = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2065\u2800\u3164\ufe00-\ufe0f\uffa0\ufff0-\ufff8\U0001d159\U000e0000-\U000e0fff]"
)
_UNSAFE_IN_URL = re.compile(r"[\x00-\x20\x7f\\]")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
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


def validate_named_texts(**values: str) -> None:
    """Accept texts, as `validate_text` does each; the error names the one that is refused."""
    for name, value in values.items():
        try:
            validate_text(value)
        except ValidationError as error:
            raise ValidationError({name: error}) from error


def storable(value: str) -> str:
    """Return a text in which U+FFFD stands for what `validate_text` refuses: for texts that machines write."""
    return _UNSTORABLE.sub("\ufffd", value)


def validate_line(value: str) -> None:
    """Accept text of one line."""
    validate_text(value)
    if value.splitlines() not in ([], [value]):
        raise ValidationError(_("Use a single line, without line breaks."), code="line_break")


def is_visible(value: str) -> bool:
    """Return whether a text has a visible character: not only spaces, controls and what Unicode leaves blank."""
    categories = {unicodedata.category(char) for char in _BLANK.sub("", value)}
    return not categories <= {"Cc", "Cf", "Cs", "Zl", "Zp", "Zs"}


def validate_limit(limit: int, most: int) -> None:
    """Accept a page of 1 to `most` rows."""
    if not 1 <= limit <= most:
        raise ValidationError({"limit": _("Limit must be between 1 and %(limit)s.") % {"limit": most}})


def validate_visible(value: str) -> None:
    """Refuse a text in which nothing can be seen, as Django refuses an empty one."""
    if not is_visible(value):
        raise ValidationError(Field.default_error_messages["blank"], code="blank")


def validate_time(value: datetime) -> None:
    """Accept a time with a time zone that every other time zone can show."""
    if timezone.is_naive(value):
        raise ValidationError(_("Use a time with a time zone, for example timezone.now() + …"), code="naive")
    if value.year > LAST_YEAR:
        message = _("Choose an earlier time, no later than the year %(year)s.")
        raise ValidationError(message, code="too_late", params={"year": LAST_YEAR})
    if value.year < FIRST_YEAR:
        raise ValidationError(_("Enter a date and a time."), code="too_early")


def validate_emoji(value: str) -> None:
    """Accept one emoji as Unicode makes them (UTS #51): a sign, a joined sequence, a flag or a key."""
    validate_text(value)
    if not _EMOJI.fullmatch(value):
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


def validate_names(value: Any) -> None:
    """Accept a list of names."""
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise ValidationError(_("It must be a list of names."), code="names")


def validate_texts(value: Any) -> None:
    """Accept a title and a body for languages of the site: ``{"de": {"title": "…", "body": "…"}}``."""
    languages = dict(settings.LANGUAGES)
    if not isinstance(value, dict) or not all(code in languages and _is_text(text) for code, text in value.items()):
        message = _("Texts must have, by a language of the site, a title and if you like a body.")
        raise ValidationError(message, code="texts")
    for text in value.values():
        for name, limit in (("title", TITLE_LENGTH), ("body", BODY_LENGTH)):
            MaxLengthValidator(limit)(text.get(name, ""))
            validate_text(text.get(name, ""))
        validate_line(text["title"])
        validate_visible(text["title"])


def _is_text(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and {"title"} <= value.keys() <= {"title", "body"}
        and all(isinstance(part, str) for part in value.values())
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
