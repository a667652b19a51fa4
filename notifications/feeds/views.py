"""HTTP: the one connection of a page with all that it follows, live parts, and stopping what is being written."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.signing import BadSignature
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _

from ..conf import conf
from ..exceptions import BadCursor, BadRequest, UnknownFeed
from ..inbox import views as inbox
from ..inbox.frames import Hello
from ..inbox.stream import INBOX
from ..live import connections, cursor, frames, leases, relay, sessions
from ..live.connections import Admission, JoinedEventStream
from ..live.cursor import START, UNPUBLISHED, Position
from ..live.frames import Frame, frame
from ..live.http import answer, can_hold, endpoint, error, fields, handoff, hold_open, signed_out
from ..live.identity import NOBODY
from ..live.replay import changes_since, settle
from ..models import FeedText
from . import following, parts, retention  # noqa: F401  # its periodic task runs where streams are served
from .answers import stop_answer
from .following import FEEDS_LIMIT, Wanted
from .stream import FEED

_HALF = re.compile("[\ud800-\udfff]")
CURSOR_HEADER = "Carillon-Cursor"  # the position that a part shows


@handoff
@endpoint("GET", anonymous=True)
def stream(request: HttpRequest) -> HttpResponseBase:
    """Open an event stream of the inbox and of feeds (WHATWG HTML, server-sent events).

    ``?feeds=`` names feeds, joined by commas; ``?inbox=0`` leaves the inbox out, and whoever is not signed in has none.
    Continue after the positions in ``Last-Event-ID`` or, without it, in ``?since=``. A client that keeps a position for
    each stream says ``?ids=each``; any other gets all of them in every id.
    """
    if "feeds" not in request.GET:
        return inbox.open_stream(request) if request.user.is_authenticated else signed_out()
    if not can_hold(request):
        return error(501, "no-streaming", _("This server cannot stream (WSGI); poll changes/ instead."))
    positions = inbox.positions_of(request, request.headers.get("Last-Event-ID"))
    wanted, refused = following.decide(request.user, _names(request), positions)
    admission = _with_inbox(request, positions) if _has_inbox(request) else _without_inbox(request)
    told = (*map(frame, refused), *(following.status(one.name) for one in wanted))
    transport = None
    if request.GET.get("ids") != "each":
        at = {FEED.cursor_name(one.key.pk): one.position for one in wanted if one.position != START}
        if admission.key is not None and (name := INBOX.cursor_name(admission.key.pk)) in positions:
            at[name] = positions[name]
        transport = JoinedEventStream(cursor.dump(at))
    places = tuple((one.key, one.position) for one in wanted)
    admission = replace(admission, frames=(*admission.frames, *told), more=places, transport=transport)
    return hold_open(request, admission, connections.iterate, "text/event-stream; charset=utf-8")


@handoff
@endpoint("GET", anonymous=True)
def changes(request: HttpRequest) -> HttpResponseBase:
    """Answer with what happened in the inbox and in feeds after ``?since=``, or as soon as something does.

    ``?feeds=`` and ``?inbox=`` are those of `stream`, and ``?wait=`` says for how many seconds it may be held.
    """
    if "feeds" not in request.GET:
        return inbox.poll(request) if request.user.is_authenticated else signed_out()
    positions = inbox.positions_of(request, None)
    wait = inbox.wait_of(request)
    if not (held := wait and can_hold(request)):
        leases.look()
    wanted, refused = following.decide(request.user, _names(request), positions)
    admission = _without_inbox(request)
    told: list[Frame] = [*map(frame, refused)]
    heads: list[str] = []
    if _has_inbox(request):
        batch = inbox.catch_up_inbox(request, positions)
        admission = inbox.admission(request, batch, wait)
        told += batch.frames
        heads.append(INBOX.cursor(request.user.pk, batch.to))
    places, missed = _catch_up(wanted)
    told += missed
    heads += [FEED.cursor(key.pk, at) for key, at in places if key.type == FEED.name]
    if told or not held:
        told.append(frame(frames.Heartbeat(",".join(heads))))
        return inbox.held_answer(connections.poll_body(told))
    admission = replace(admission, frames=(), more=places, wait=wait)
    return hold_open(request, admission, connections.iterate_answer, "application/json")


@endpoint("POST", anonymous=True)
def follow(request: HttpRequest) -> HttpResponse:
    """Have an open connection take feeds up and let others go, in whatever process it is.

    The body is JSON: ``connection`` is the name in its ``hello``, ``follow`` maps names of feeds to the cursor that the
    client has of each (empty for none), ``unfollow`` lists names. The answer says of each feed whether it may be
    followed; a ``feed.status`` frame on the connection says when it is.
    """
    given = fields(request)
    connection, wish, gone = given.get("connection"), given.get("follow", {}), given.get("unfollow", [])
    if not isinstance(connection, str) or not 0 < len(connection) <= 64:
        raise BadRequest(_("connection must be the name that the connection's hello has."))
    if not (_are_texts(wish) and isinstance(wish, dict) and _are_texts(wish.values())):
        raise BadRequest(_("follow must map names of feeds to cursors."))
    if not (isinstance(gone, list) and _are_texts(gone)) or len(gone) + len(wish) > 2 * FEEDS_LIMIT:
        raise BadRequest(_("unfollow must be a list of names of feeds."))
    try:
        since = {name: at for text in wish.values() for name, at in cursor.parse(text).items()}
    except BadCursor as bad:
        raise BadRequest(str(bad)) from bad
    owner = _owner(request)
    wanted, refused = following.decide(request.user, wish, since)
    following.unfollow(connection, owner, following.keys_of(gone))
    following.follow(connection, owner, wanted)
    states = {one.feed: {"state": one.state, "message": one.message} for one in refused}
    return answer({"feeds": states | {one.name: {"state": "live", "message": ""} for one in wanted}})


@endpoint("GET", anonymous=True)
def part(request: HttpRequest) -> HttpResponse:
    """Render a part of a page anew: ``?t=`` is what the page carries. 304 where it is what ``If-None-Match`` names."""
    try:
        name, template = parts.read_token(request.GET.get("t", ""))
        feed = parts.resolve(name)
    except (BadSignature, UnknownFeed, ImproperlyConfigured) as bad:
        raise BadRequest(_("This part is not there any more. Reload the page.")) from bad
    if not following.allows(feed, request.user):
        return error(403, "denied", _("You may not see this."))
    made = parts.render(feed, template, request)
    same = request.headers.get("If-None-Match") == made.etag
    response = HttpResponse(status=304) if same else HttpResponse(made.html)
    for header, value in (
        ("ETag", made.etag),
        (CURSOR_HEADER, made.cursor),
        ("Cache-Control", "no-store"),
        ("Vary", "Cookie"),
    ):
        response[header] = value
    return response


@endpoint("POST")
def stop(request: HttpRequest) -> HttpResponse:
    """Stop the text that grows in the event ``id``; whoever it is written for may do that."""
    pk = fields(request).get("id")
    if isinstance(pk, str) and pk.isascii() and pk.isdigit() and len(pk) < 19:
        pk = int(pk)
    if type(pk) is not int or not 0 < pk < 2**63:
        raise BadRequest(_("id must be the number of an event."))
    mine = FeedText.objects.using(FEED.alias).filter(pk=pk, owner=str(request.user.pk))
    if not mine.exists():
        return error(404, "not-found", _("There is no such text of yours."))
    return answer({"stopped": stop_answer(pk)})


def _names(request: HttpRequest) -> Sequence[str]:
    names = [name for name in request.GET.get("feeds", "").split(",") if name]
    if len(names) > 2 * FEEDS_LIMIT:
        raise BadRequest(_("A connection may follow %(limit)s feeds.") % {"limit": FEEDS_LIMIT})
    return names


def _has_inbox(request: HttpRequest) -> bool:
    return request.user.is_authenticated and request.GET.get("inbox") != "0"


def _with_inbox(request: HttpRequest, positions: dict[str, Position]) -> Admission:
    return inbox.admitted(request, positions)


def _without_inbox(request: HttpRequest) -> Admission:
    identity = NOBODY
    if request.user.is_authenticated:
        identity = sessions.identity(request.user, getattr(request, "session", None))
    admission = Admission(None, START, (), identity)
    hello = Hello(admission.name, None, 0, 0, conf.HEARTBEAT, frames.now())
    return replace(admission, frames=(frame(hello),))


def _catch_up(wanted: Sequence[Wanted]) -> tuple[tuple[tuple[Any, Position], ...], list[Frame]]:
    """Read what a reader missed of all its feeds; return where it is then, and what it is told."""
    kept = {FEED.pk(one.key): one for one in wanted if one.key.type == FEED.name}
    settle(FEED, list(kept), relay.sequence_and_announce)
    batches = changes_since(FEED, {pk: None if one.position == START else one.position for pk, one in kept.items()})
    told = [frame for batch in batches.values() for frame in batch.frames]
    places = {FEED.key(pk): batches[pk].to if pk in batches else UNPUBLISHED for pk in kept}
    return tuple((one.key, places.get(one.key, one.position)) for one in wanted), told


def _owner(request: HttpRequest) -> str:
    return str(request.user.pk) if request.user.is_authenticated else ""


def _are_texts(values: Any) -> bool:
    """Return whether these are texts; one with half a character could not be answered, nor stored."""
    return isinstance(values, Iterable) and all(isinstance(one, str) and not _HALF.search(one) for one in values)
