"""The content of e-mails: subject, plain text and HTML, each from a template that a site may override."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from django.template import Context, loader
from django.utils import timezone, translation

from .. import tenants
from .links import page_url
from .messages import Message

FOLDER: Final = "notifications/email"
# Templates of Carillon, or their beginnings; kinds and categories of these names have none.
OWN: Final = frozenset({"base", "message", "digest", "part", "footer", "message.subject", "digest.subject"})
SUBJECT_LENGTH: Final = 200  # characters; the title of a notification has no more
_NAME: Final = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*")  # of a template: no path leads out of the folder
_CONTROLS: Final = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]+")


class Content(NamedTuple):
    """What a mailbox shows."""

    subject: str
    text: str
    html: str


def content_of(message: Message, unsubscribe: str = "", site_name: str = "") -> Content:
    """Return what an e-mail says, in the language and the time zone of its recipient.

    Args:
        message: What is told.
        unsubscribe: Where its recipient can switch it off; empty for what nobody can.
        site_name: What people call the site; without it its host.
    """
    with translation.override(message.language), timezone.override(ZoneInfo(message.time_zone)):
        context = {
            "message": message,
            "parts": message.parts,
            "part": message.parts[0],
            "rest": len(message.parts) - 1,
            "language": message.language,
            "direction": "rtl" if translation.get_language_bidi() else "ltr",
            "site_name": site_name or urlsplit(tenants.base_url()).netloc,
            "site_url": tenants.base_url(),
            "inbox_url": page_url("inbox", message.language),
            "preferences_url": page_url("preferences", message.language),
            "unsubscribe_url": unsubscribe,
        }
        subject = one_line(_plain(message, "subject.txt", context))
        html = _html(message, context | {"subject": subject})
        return Content(subject, _tidy(_plain(message, "txt", context | {"subject": subject})), html)


def one_line(text: str) -> str:
    """Return text without line breaks and other controls, cut to the length of a subject."""
    line = " ".join(_CONTROLS.sub(" ", text).split())
    return line if len(line) <= SUBJECT_LENGTH else f"{line[: SUBJECT_LENGTH - 1]}…"


def names_of(message: Message, ending: str) -> list[str]:
    """Return the names of the templates that may say a message, the first that exists does."""
    return [f"{FOLDER}/{name}.{ending}" for name in _candidates(message)]


def _candidates(message: Message) -> Iterator[str]:
    if message.is_digest:
        yield "digest"
        return
    for name in (message.parts[0].kind, message.parts[0].category):
        if _NAME.fullmatch(name) and name not in OWN:
            yield name
    yield "message"


def _plain(message: Message, ending: str, context: Mapping[str, Any]) -> str:
    """Return plain text, in which nothing is escaped."""
    template = loader.select_template(names_of(message, ending))
    own: Any = getattr(template, "template", None)
    if hasattr(own, "nodelist"):  # Django's own engine; others know by a name's ending, or by their settings
        return str(own.render(Context(dict(context), autoescape=False)))
    return str(template.render(dict(context)))


def _html(message: Message, context: Mapping[str, Any]) -> str:
    html = str(loader.select_template(names_of(message, "html")).render(dict(context)))
    inliner = _inliner()
    return html if inliner is None else str(inliner.inline(html))


def _tidy(text: str) -> str:
    """Leave no more than one empty line where a template's tags have left several."""
    return re.sub(r"\n{3,}", "\n\n", "\n".join(line.rstrip() for line in text.splitlines())).strip() + "\n"


@cache
def _inliner() -> Any:
    """Return what writes the rules of a style sheet to the elements, for programs that read no sheets; None without it.

    The sheet stays, for what only a sheet can say: dark mode and narrow screens.
    """
    try:
        import css_inline
    except ImportError:
        return None
    return css_inline.CSSInliner(keep_style_tags=True, keep_at_rules=True, load_remote_stylesheets=False)
