"""The URLs under which a site has the views of the hand-off lane.

Only Django's middleware decides which view a request reaches: it may choose a language, or a URLconf by host. But a
request for one of the lane's views is decided in one hop with the chain in sync mode, so the lane must recognise it
beforehand. This module makes that guess, cheaply; a wrong guess costs time, once, but the response is always correct.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import nullcontext
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.urls import Resolver404, ResolverMatch, resolve
from django.utils import translation

from .django_internals import script_prefix

logger = logging.getLogger("notifications")

URLCONFS = 16  # URLconfs that are tried; the views of further ones are served too, at the price of Django's own chain
EVENT_STREAM_TYPE = "text/event-stream"
OWN_END = "/stream/"  # of the stream's path, for clients that accept anything

Scope = Mapping[str, Any]


def may_be_carried(scope: Scope) -> bool:
    """Return whether a request has the shape of one that the lane carries: an event stream, or a poll that may wait."""
    if scope["type"] != "http" or scope["method"] != "GET":
        return False
    if b"wait=" in scope.get("query_string", b"") or scope["path"].endswith(OWN_END):
        return True
    return any(name == b"accept" and EVENT_STREAM_TYPE.encode() in value.lower() for name, value in scope["headers"])


def is_carried(view: Any) -> bool:
    """Return whether a view is one of those that hand their connections to the lane."""
    return getattr(view, "handoff", False)


class Layouts:
    """The URLconfs of a site, as far as its requests have shown them."""

    def __init__(self) -> None:
        """Begin with the one that the settings name."""
        self._urlconfs: list[Any] = [None]
        self._misleading: set[tuple[Any, str]] = set()  # URLconfs, and routes in them that other views got

    def expects(self, scope: Scope) -> bool:
        """Return whether a request will most likely reach one of the lane's views."""
        return self._match(scope) is not None

    def learn(self, urlconf: Any) -> None:
        """Remember a URLconf in which some middleware has found one of the lane's views."""
        if urlconf not in self._urlconfs and len(self._urlconfs) < URLCONFS:
            self._urlconfs.append(urlconf)

    def mistrust(self, scope: Scope) -> None:
        """Stop guessing for this request's route, because it reached another view; log a warning."""
        if (found := self._match(scope)) is not None:
            urlconf, match = found
            self._misleading.add((urlconf, match.route))
            logger.warning(
                "In %s the route %r is Carillon's, but a request for it got another view. From now on requests for it "
                "pass Django's own middleware chain, which takes longer to open a stream.",
                urlconf or settings.ROOT_URLCONF,
                match.route,
            )

    def _match(self, scope: Scope) -> tuple[Any, ResolverMatch] | None:
        path = scope["path"].removeprefix(script_prefix(scope))
        with language_of(path):
            for urlconf in self._urlconfs:
                try:
                    match = resolve(path, urlconf or settings.ROOT_URLCONF)
                except (Resolver404, ImproperlyConfigured):  # a URLconf that cannot be imported: Django reports it
                    continue
                if is_carried(match.func) and (urlconf, match.route) not in self._misleading:
                    return urlconf, match
        return None


def language_of(path: str) -> Any:
    """Return a context in the language that `path` begins with, as `LocaleMiddleware` will find it."""
    if not settings.USE_I18N:
        return nullcontext()
    return translation.override(translation.get_language_from_path(path) or settings.LANGUAGE_CODE)
