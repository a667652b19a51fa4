"""Live parts of a page: a template that the server renders, and renders anew when a feed moves.

A part carries the position that its feed had *before* it was rendered. Whatever is published between rendering and
subscribing lies above it, so that no part is shown stale and stays so.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Any, NamedTuple

from django.core import signing
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest
from django.template.loader import render_to_string

from .. import tenants
from ..live.cursor import UNPUBLISHED
from ..live.django_internals import in_transaction
from ..live.replay import settle
from .policies import Nothing
from .registry import ResolvedFeed, find
from .stream import FEED, remember

SALT = "notifications.part"


class Part(NamedTuple):
    """A rendered part: its HTML, the cursor of what it shows, and a tag that changes with either."""

    html: str
    cursor: str
    etag: str


def token(feed: str, template: str) -> str:
    """Return what a page sends back to have a part rendered anew: nobody can ask for another template with it."""
    return signing.dumps([feed, template], salt=tenants.salted(SALT), compress=True)


def read_token(text: str) -> tuple[str, str]:
    """Return the feed and the template that `token` was made for.

    Raises:
        BadSignature: It was not made here.
    """
    feed, template = signing.loads(text, salt=tenants.salted(SALT))
    return feed, template


def resolve(name: str) -> ResolvedFeed:
    """Return a feed that parts can be made of.

    Raises:
        UnknownFeed: Nobody has declared it.
        ImproperlyConfigured: It keeps nothing, or says no context.
    """
    feed = find(name)
    if isinstance(feed.rules.keep, Nothing) or feed.rules.context is None:
        raise ImproperlyConfigured(
            f"{{% live {name!r} %}}: its feed must keep something and say the context of the template: "
            f"@feed({feed.rules.pattern.text!r}, keep=Latest(), context=…)."
        )
    return feed


def render(feed: ResolvedFeed, template: str, request: HttpRequest) -> Part:
    """Render a part for the user of `request`, who may follow its feed: the caller has asked.

    Args:
        feed: What `resolve` returned.
        template: The name of the template.
        request: Whose user and language it is rendered for.
    """
    cursor = _cursor(feed)  # before the context is read: to render once too often is harmless
    context = feed.rules.context
    assert context is not None
    values: dict[str, Any] = context(request.user, **feed.values)
    html = render_to_string(template, {**feed.values, **values}, request)
    digest = blake2b(html.encode(), digest_size=12).hexdigest()
    return Part(html, cursor, f'"{digest}"')


def _cursor(feed: ResolvedFeed) -> str:
    pk = remember(feed.name)
    if not in_transaction(FEED.alias):
        settle(FEED, [pk])  # what was committed lies below the position; else the part is rendered once too often
    rows = FEED.positions.run([pk], FEED.alias)
    if not rows:
        return FEED.cursor(pk, UNPUBLISHED)
    [(_pk, epoch, head, _floor)] = rows
    return FEED.cursor(pk, UNPUBLISHED._replace(epoch=epoch, modseq=head))
