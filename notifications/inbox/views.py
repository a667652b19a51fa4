"""HTTP: the event stream, polling, and the JSON API of the inbox."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.csrf import get_token
from django.utils.translation import gettext as _

from ..conf import conf
from ..exceptions import BadCursor, BadRequest
from ..languages import reader_language
from ..live import connections, cursor, frames, leases, relay, sessions
from ..live.batch import Batch
from ..live.connections import Admission
from ..live.cursor import Position
from ..live.http import ANSWER_HEADERS, answer, can_hold, endpoint, error, hold_open, number, user_of
from ..live.replay import catch_up
from . import counts as counting
from . import reading
from .configuration import configuration
from .filters import facets
from .frames import Hello
from .stream import INBOX, INBOX_PAGE

MAX_WAIT = 25.0  # seconds a poll may be held; proxies cut a silent request at 60


def open_stream(request: HttpRequest) -> HttpResponseBase:
    """Open the inbox as an event stream (WHATWG HTML, server-sent events).

    Continue after the position in ``Last-Event-ID`` or, without it, in ``?since=``.
    """
    if not can_hold(request):
        return error(501, "no-streaming", _("This server cannot stream (WSGI); poll changes/ instead."))
    opened = admitted(request, positions_of(request, request.headers.get("Last-Event-ID")))
    return hold_open(request, opened, connections.iterate, "text/event-stream; charset=utf-8")


def admitted(request: HttpRequest, positions: Mapping[str, Position]) -> Admission:
    """Admit the reader of an inbox from its position: what it missed is said first."""
    batch = catch_up_inbox(request, positions)
    numbers = counting.counts([request.user.pk])[request.user.pk]
    start = None if batch.start is None else INBOX.cursor(request.user.pk, batch.start)
    opened = admission(request, batch)
    hello = Hello(opened.name, start, numbers.unread, numbers.unseen, conf.HEARTBEAT, frames.now())
    return replace(opened, frames=(frames.frame(hello), *batch.frames))


def poll(request: HttpRequest) -> HttpResponseBase:
    """Answer with the changes after ``?since=``, now or, by long polling, within ``?wait=`` seconds."""
    positions = positions_of(request, None)
    wait = wait_of(request)
    if not (held := wait and can_hold(request)):
        leases.look()
    batch = catch_up_inbox(request, positions)
    if batch.frames or not held:
        head = frames.frame(frames.Heartbeat(INBOX.cursor(request.user.pk, batch.to)))
        return held_answer(connections.poll_body(batch.frames or [head]))
    return hold_open(request, admission(request, batch, wait), connections.iterate_answer, "application/json")


@endpoint("GET")
def inbox_list(request: HttpRequest) -> HttpResponse:
    """Return a page of items; the parameters are those of `inbox.page`, the search is ``?q=``."""
    query = request.GET
    state: Any = query.get("state", "all")
    before = query.get("before") or None
    limit = number(query.get("limit"), "limit", INBOX_PAGE)
    category, kind, search = (query.get(name, "") for name in ("category", "kind", "q"))
    return answer(reading.page(user_of(request), state, category, before, limit, kind=kind, search=search))


@endpoint("GET")
def filters(request: HttpRequest) -> HttpResponse:
    """Return how many items of each category and kind a list has: ``?state=`` as for the list."""
    state: Any = request.GET.get("state") or "all"
    return answer(facets(user_of(request), state))


@endpoint("GET")
def counts(request: HttpRequest) -> HttpResponse:
    """Return how many notifications are unread and unseen, and the position of the inbox."""
    return answer(reading.summary(user_of(request), INBOX.alias))


def _foreign(request: HttpRequest) -> HttpResponse | None:
    """Return the answer to a page of another origin, where the browser says that it is one."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") == "same-origin":
        return None
    return error(403, "forbidden", _("Only pages of this site may ask for this."))


@endpoint("GET")
def csrf(request: HttpRequest) -> HttpResponse:
    """Return a fresh CSRF token to a page whose own is of an earlier session and whose script cannot read the cookie.

    No page of another origin may read it, even where the site lets such pages read the rest of the API.
    """
    if (refused := _foreign(request)) is not None:
        return refused
    return answer({"token": get_token(request)})


@endpoint("GET")
def config(request: HttpRequest) -> HttpResponse:
    """Return what ``{% notifications_head %}`` writes into a page, for a document that had no user or another one.

    It has a CSRF token, so no page of another origin may read it, even where the site lets such pages read the rest.
    """
    if (refused := _foreign(request)) is not None:
        return refused
    return answer(configuration(request))


def wait_of(request: HttpRequest) -> float:
    """Return how many seconds a poll may be held."""
    text = request.GET.get("wait") or "0"
    try:
        wait = float(text)
    except ValueError as bad:
        raise BadRequest(_("wait must be a number of seconds.")) from bad
    if not math.isfinite(wait) or wait < 0:
        raise BadRequest(_("wait must be a number of seconds."))
    return min(wait, MAX_WAIT)


def positions_of(request: HttpRequest, last_event_id: str | None) -> dict[str, Position]:
    """Return the reader's positions by the names of streams; a new one has none.

    A browser sends `last_event_id` by itself and takes a refusal as final, so a value that is no cursor (an
    older version's, say) means a new reader; in ``?since=`` it is a mistake that the caller can mend.
    """
    if last_event_id:
        try:
            return cursor.parse(last_event_id)
        except BadCursor:
            return {}
    try:
        return cursor.parse(request.GET.get("since", ""))
    except BadCursor as bad:
        raise BadRequest(str(bad)) from bad


def catch_up_inbox(request: HttpRequest, positions: Mapping[str, Position]) -> Batch:
    """Read what the reader missed; what nobody stamped yet is stamped now."""
    return catch_up(INBOX, request.user.pk, positions.get(INBOX.name), relay.sequence_and_announce)


def admission(request: HttpRequest, batch: Batch, wait: float | None = None) -> Admission:
    """Admit the reader of an inbox who has read a batch of it."""
    identity = sessions.identity(request.user, getattr(request, "session", None))
    return Admission(
        INBOX.key(identity.owner),
        batch.to,
        batch.frames,
        identity,
        wait,
        arrived=batch.arrived,
        language=reader_language(),
    )


def held_answer(content: bytes = b"") -> HttpResponse:
    """Return the answer of a poll that need not be held."""
    return HttpResponse(content, content_type="application/json", headers=ANSWER_HEADERS)
