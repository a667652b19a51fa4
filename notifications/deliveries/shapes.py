"""Shapes: what is posted to an endpoint, as its program reads it.

Slack, Microsoft Teams and Discord read what each of them documents. Whatever people have written is text there too:
it mentions nobody, links nowhere and has no form.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from django.core.serializers.json import DjangoJSONEncoder
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ..models import Endpoint
from .messages import Message, Part

DIGEST_BYTES: Final = 256 * 1024  # of JSON; a digest of more tells of as many as fit
PLAIN: Final = "notification"  # the type of a notification without a kind of its own
SLACK_LENGTH: Final = 2_900  # characters of one text; Slack takes 3,000
SLACK_PARTS: Final = 20  # of a digest; a message has at most 50 blocks
DISCORD_PARTS: Final = 10  # embeds of a message
DISCORD_LENGTH: Final = 2_000  # characters of a body, twice as many once they are escaped; an embed takes 4,096
DISCORD_SHORT: Final = 170  # of one among several, for all embeds have at most 6,000 together
COLOURS: Final = {"info": 0x3B82F6, "success": 0x16A34A, "warning": 0xD97706, "error": 0xDC2626}
TEAMS_PARTS: Final = 15  # of a digest
TEAMS_LENGTH: Final = 4_000  # characters of a body, of up to four bytes each; a message has at most 28 KB
TEAMS_SHORT: Final = 200  # of one among several
_MARKDOWN: Final = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~@:])")


def standard(message: Message) -> bytes:
    """Return a message as Standard Webhooks has it: a type, a time, and the data."""
    if not message.is_digest:
        [part] = message.parts
        return _encoded({"type": _type(part), "timestamp": part.created_at, "data": _data(message, part)})
    parts: list[bytes] = []
    left = DIGEST_BYTES
    for part in message.parts:
        made = _encoded({"type": _type(part), "timestamp": part.created_at, "data": _data(message, part)})
        left -= len(made)
        if left < 0:
            break
        parts.append(made)
    head = _encoded({"type": "digest.v1", "timestamp": message.parts[0].created_at})
    more = len(message.parts) - len(parts)
    return head[:-1] + b',"data":{"more":%d,"notifications":[%b]}}' % (more, b",".join(parts))


def slack(message: Message) -> bytes:
    """Return a message as Slack's incoming webhooks take it: blocks of plain text."""
    blocks: list[dict[str, Any]] = []
    for part in message.parts[:SLACK_PARTS]:
        text = _cut("\n".join(filter(None, [part.title, part.body])), SLACK_LENGTH)
        block: dict[str, Any] = {"type": "section", "text": {"type": "plain_text", "text": text, "emoji": False}}
        if part.target:
            label = {"type": "plain_text", "text": _open(message)}
            block["accessory"] = {"type": "button", "text": label, "url": part.target}
        blocks.append(block)
    said = message.title.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _encoded({"text": said, "blocks": blocks})


def teams(message: Message) -> bytes:
    """Return a message as workflows of Microsoft Teams take it: an adaptive card of text without a form."""
    body: list[dict[str, Any]] = []
    room = TEAMS_LENGTH if len(message.parts) == 1 else TEAMS_SHORT
    for part in message.parts[:TEAMS_PARTS]:
        body.append(_run(part.title, weight="Bolder"))
        if part.body:
            body.append(_run(_cut(part.body, room)))
    links = [part.target for part in message.parts[:1] if part.target]
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": body,
        "actions": [{"type": "Action.OpenUrl", "title": _open(message), "url": url} for url in links],
    }
    content = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return _encoded({"type": "message", "attachments": [content]})


def discord(message: Message) -> bytes:
    """Return a message as Discord's webhooks take it: an embed for each notification, and no mention of anybody."""
    room = DISCORD_LENGTH if len(message.parts) == 1 else DISCORD_SHORT
    embeds = [
        {
            "title": _cut(_escaped(part.title), 256),
            "description": _escaped(_cut(part.body, room)),
            "color": COLOURS.get(part.level, COLOURS["info"]),
            "timestamp": part.created_at,
            **({"url": part.target} if part.target else {}),
        }
        for part in message.parts[:DISCORD_PARTS]
    ]
    more = len(message.parts) - len(embeds)
    with translation.override(message.language):
        told = ngettext("%(number)s more notification", "%(number)s more notifications", more) if more else ""
    return _encoded({"content": told % {"number": more}, "embeds": embeds, "allowed_mentions": {"parse": []}})


SHAPES: Final[Mapping[str, Callable[[Message], bytes]]] = {
    Endpoint.Shape.STANDARD: standard,
    Endpoint.Shape.SLACK: slack,
    Endpoint.Shape.TEAMS: teams,
    Endpoint.Shape.DISCORD: discord,
}


def _type(part: Part) -> str:
    """Return the type of an event, with the version of the facts; other facts are of another type."""
    return f"{part.kind}.v{part.version}" if part.facts is not None else f"{PLAIN}.v1"


def _data(message: Message, part: Part) -> dict[str, Any]:
    return {
        "id": part.notice,
        "user": None if message.user is None else str(message.user.pk),
        "kind": part.kind,
        "category": part.category,
        "level": part.level,
        "language": message.language,
        "title": part.title,
        "body": part.body,
        "url": part.target,
        "actor": part.actor,
        "events": part.events,
        "about": part.about,
        "facts": part.facts,
        "data": part.data,
    }


def _encoded(value: Any) -> bytes:
    return json.dumps(value, cls=DjangoJSONEncoder, separators=(",", ":"), ensure_ascii=False).encode()


def _open(message: Message) -> str:
    with translation.override(message.language):
        return _("Open")


def _run(text: str, **form: str) -> dict[str, Any]:
    """Return text of which Teams reads no Markdown, unlike that of a `TextBlock`."""
    return {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": text, **form}]}


def _escaped(text: str) -> str:
    """Return text in which Discord finds no Markdown."""
    return _MARKDOWN.sub(r"\\\1", text)


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
