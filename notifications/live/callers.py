"""Whose a request seems to be before Django has decided: for its place in the queue, and for nothing else."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import parse_cookie

from ..conf import conf
from .workers import Terms

Scope = dict[str, Any]

KNOWN = 10_000  # callers that are remembered
UNKNOWN_WAITING = 2_000  # requests of one address that wait with credentials which are not known yet
NAMELESS_LIMIT = 200  # requests that wait without any; all of them together are one owner

_NAMELESS = ("nameless",)


class Callers:
    """Who was admitted lately, by what they showed.

    A caller who is known waits in a line of their own. One who shows something new, who may be anybody, waits in the
    line of their address. Those who show nothing share one line: some site may know them by other headers, so they
    are decided too, one for each turn of the others.
    """

    def __init__(self) -> None:
        """Know nobody."""
        self._known: dict[int, None] = {}  # digests, the latest last

    def terms(self, scope: Scope) -> Terms:
        """Return on which terms a request waits for Django's decision."""
        caller = _digest(scope)
        if caller is None:
            return Terms(_NAMELESS, NAMELESS_LIMIT, each=2)
        if caller in self._known:
            return Terms(caller, conf.MAX_STREAMS_PER_USER, each=2)
        return Terms(("from", address(scope)), UNKNOWN_WAITING, each=4)

    def remember(self, scope: Scope) -> None:
        """Take note that a request was admitted."""
        caller = _digest(scope)
        if caller is not None:
            self._known.pop(caller, None)
            self._known[caller] = None
            if len(self._known) > KNOWN:
                del self._known[next(iter(self._known))]


def address(scope: Scope) -> str:
    """Return the address from which a request came; empty where the server does not know it, as on a Unix socket.

    ``X-Forwarded-For`` is believed as far as ``NOTIFICATIONS_PROXIES`` says that proxies of the site's own wrote it:
    each adds the address that it saw at the end. What stands before is the client's own word.
    """
    proxies = conf.PROXIES
    if proxies:
        seen = ",".join(_header(scope, b"x-forwarded-for")).split(",")
        if len(seen) >= proxies and (found := seen[-proxies].strip()):
            return found
    return (scope.get("client") or ("",))[0] or ""


def _digest(scope: Scope) -> int | None:
    """Return a number for the credentials that a request shows, which no client can foresee; None where it has none."""
    shown = _header(scope, b"authorization")
    cookies = "; ".join(_header(scope, b"cookie"))
    if cookies:
        shown.append(parse_cookie(cookies).get(settings.SESSION_COOKIE_NAME) or cookies)
    return hash(tuple(shown)) if shown else None


def _header(scope: Scope, name: bytes) -> list[str]:
    return [value.decode("latin-1") for key, value in scope["headers"] if key == name]
