"""HTTP: the event stream, polling, and the JSON API of the inbox."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from django.db import connections
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _

from . import cursor, frames, inbox, lane, relay, rooms, services, sessions
from .conf import conf
from .cursor import Position
from .inbox import INBOX
from .lane import SCOPE_KEY, Admission, Offer
from .models import Notification
from .responses import BadRequest, answer, endpoint, error, fields, number
from .services.rooms import membership
from .services.states import STATE_VERBS
from .streams import Batch, catch_up

MAX_WAIT = 25.0  # seconds a poll may be held; proxies cut a silent request at 60

# `identity` keeps GZipMiddleware away, which would wrap every event into a gzip member of its own; nginx obeys
# `X-Accel-Buffering`, and `no-transform` asks the same of others.
STREAM_HEADERS = {
    "Cache-Control": "no-cache, no-store, no-transform",
    "Content-Encoding": "identity",
    "X-Accel-Buffering": "no",
    "Vary": "Cookie",
}

ACTIONS = {**STATE_VERBS, "click": services.mark_clicked}


@endpoint("GET")
def stream(request: HttpRequest) -> HttpResponseBase:
    """Open the inbox as an event stream (WHATWG HTML, server-sent events).

    Continue after the position in ``Last-Event-ID`` or, without it, in ``?since=``.
    """
    if not hasattr(request, "scope"):
        return error(501, "no-streaming", _("This server cannot hold streams (WSGI); poll changes/ instead."))
    position = _position(request, request.headers.get("Last-Event-ID"))
    batch = _catch_up(request, position)
    numbers = inbox.counts([request.user.pk])[request.user.pk]
    start = None if batch.start is None else INBOX.cursor(request.user.pk, batch.start)
    admission = _admission(request, batch)
    hello = frames.Hello(admission.name, start, numbers.unread, numbers.unseen, conf.HEARTBEAT, frames.now())
    admission = replace(admission, frames=(frames.frame(hello), *batch.frames))
    return hold_open(request, admission, lane.iterate, "text/event-stream; charset=utf-8")


@endpoint("GET")
def changes(request: HttpRequest) -> HttpResponseBase:
    """Answer with what happened after ``?since=``, at once or as soon as something does within ``?wait=`` seconds."""
    position = _position(request, None)
    wait = _wait(request)
    batch = _catch_up(request, position)
    if batch.frames or not wait or not hasattr(request, "scope"):
        head = frames.frame(frames.Heartbeat(INBOX.cursor(request.user.pk, batch.to)))
        return _held_answer(lane.poll_body(batch.frames or [head]))
    return hold_open(request, _admission(request, batch, wait), lane.iterate_answer, "application/json")


stream.handoff = True  # type: ignore[attr-defined]
changes.handoff = True  # type: ignore[attr-defined]


@endpoint("GET")
def inbox_list(request: HttpRequest) -> HttpResponse:
    """Return a page of items: ``?state=``, ``?category=``, ``?before=`` and ``?limit=`` are those of `inbox.page`."""
    query = request.GET
    state: Any = query.get("state", "all")
    before = number(query.get("before"), "before", None)
    limit = number(query.get("limit"), "limit", inbox.PAGE)
    return answer(inbox.page(request.user, state, query.get("category", ""), before, limit))


@endpoint("GET")
def counts(request: HttpRequest) -> HttpResponse:
    """Return how many notifications are unread and unseen, and the position of the inbox."""
    return answer(inbox.summary(request.user))


@endpoint("POST")
def item_action(request: HttpRequest, pk: str, action: str) -> HttpResponse:
    """Change the state of one item and return it; one of another user is not found."""
    if not _mine(request).filter(pk=pk).exists():
        return error(404, "not-found", _("You have no such notification."))
    ACTIONS[action](request.user, [int(pk)])
    row = _mine(request).with_content().get(pk=pk)
    return answer({"item": inbox.item(row), **_counts(request)})


@endpoint("POST")
def read_all(request: HttpRequest) -> HttpResponse:
    """Mark everything as read that had arrived at the cursor ``up_to``."""
    changed = services.mark_all_read(request.user, _up_to(request))
    return answer({"changed": changed, **_counts(request)})


@endpoint("POST")
def seen(request: HttpRequest) -> HttpResponse:
    """Mark everything as seen that had arrived at the cursor ``up_to``."""
    changed = services.mark_seen(request.user, _up_to(request))
    return answer({"changed": changed, **_counts(request)})


@endpoint("GET")
def rooms_list(request: HttpRequest) -> HttpResponse:
    """Return a page of the caller's rooms; ``?before=`` and ``?limit=`` are those of `rooms.list_rooms`."""
    limit = number(request.GET.get("limit"), "limit", rooms.ROOMS_PAGE)
    return answer(rooms.list_rooms(request.user, request.GET.get("before"), limit))


@endpoint("GET")
def room_messages(request: HttpRequest, pk: int) -> HttpResponse:
    """Return a page of a room; ``?before=``, ``?after=`` and ``?limit=`` are those of `rooms.history`."""
    try:
        place = membership(pk, request.user)
    except (services.NotMember, OverflowError):
        return error(404, "not-found", _("There is no such room, or it is not yours to see."))
    query = request.GET
    before, after = (number(query.get(name), name, None) for name in ("before", "after"))
    limit = number(query.get("limit"), "limit", rooms.PAGE)
    return answer(rooms.history(place.room_id, before, after, limit))


def _mine(request: HttpRequest) -> Any:
    return Notification.objects.of(request.user)


def _counts(request: HttpRequest) -> dict[str, int]:
    numbers = inbox.counts([request.user.pk])[request.user.pk]
    return {"unread": numbers.unread, "unseen": numbers.unseen}


def _up_to(request: HttpRequest) -> str | None:
    value = fields(request).get("up_to")
    if value is not None and not isinstance(value, str):
        raise BadRequest(_("up_to must be a cursor, as frames and pages carry it."))
    return value


def _wait(request: HttpRequest) -> float:
    text = request.GET.get("wait") or "0"
    try:
        wait = float(text)
    except ValueError as bad:
        raise BadRequest(_("wait must be a number of seconds.")) from bad
    if not math.isfinite(wait) or wait < 0:
        raise BadRequest(_("wait must be a number of seconds."))
    return min(wait, MAX_WAIT)


def _position(request: HttpRequest, last_event_id: str | None) -> Position | None:
    """Return the reader's position, None for a new one.

    A browser sends `last_event_id` by itself and takes a refusal as final, so a value that is no cursor (an
    older version's, say) means a new reader; in ``?since=`` it is a mistake that the caller can mend.
    """
    if last_event_id:
        try:
            return cursor.parse(last_event_id).get(INBOX.name)
        except cursor.BadCursor:
            return None
    try:
        return cursor.parse(request.GET.get("since", "")).get(INBOX.name)
    except cursor.BadCursor as bad:
        raise BadRequest(str(bad)) from bad


def _catch_up(request: HttpRequest, position: Position | None) -> Batch:
    """Read what the reader missed; what nobody stamped yet is stamped now."""
    return catch_up(INBOX, request.user.pk, position, relay.stamp)


def _admission(request: HttpRequest, batch: Batch, wait: float | None = None) -> Admission:
    owner = str(request.user.pk)
    return Admission(INBOX.key(owner), batch.to, batch.frames, owner, sessions.digest(request), wait)


def _held_answer(content: bytes = b"") -> HttpResponse:
    headers = {"Cache-Control": "no-store", "Vary": "Cookie"}
    return HttpResponse(content, content_type="application/json", headers=headers)


def hold_open(request: HttpRequest, admission: Admission, iterate: Any, content_type: str) -> HttpResponseBase:
    """Hand an admitted connection to the lane or, where there is none, to Django's streaming response."""
    headers = STREAM_HEADERS
    offer: Offer | None = request.scope.get(SCOPE_KEY)  # type: ignore[attr-defined]
    if offer is not None:
        offer.admission = admission
        return HttpResponse(content_type=content_type, headers=headers)
    connections.close_all()  # else each open stream would keep one
    return StreamingHttpResponse(iterate(admission), content_type=content_type, headers=headers)
