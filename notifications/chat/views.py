"""HTTP: the rooms of a user and their messages, as JSON."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from ..exceptions import NotMember
from ..live.http import answer, endpoint, error, number, user_of
from . import reading
from .configuration import chat_configuration
from .rooms import membership
from .stream import HISTORY_PAGE, ROOM, history


@login_not_required
def socket(request: HttpRequest) -> HttpResponse:
    """Answer who comes to the socket's address by HTTP; a WebSocket is routed there by `notifications.routing`."""
    refusal = error(426, "upgrade", _("Connect with a WebSocket here."))
    refusal["Upgrade"] = "websocket"
    return refusal


@endpoint("GET")
def rooms_list(request: HttpRequest) -> HttpResponse:
    """Return a page of the caller's rooms; ``?before=`` and ``?limit=`` are those of `reading.list_rooms`."""
    limit = number(request.GET.get("limit"), "limit", reading.ROOMS_PAGE)
    return answer(reading.list_rooms(user_of(request), request.GET.get("before"), limit))


@endpoint("GET")
def config(request: HttpRequest) -> HttpResponse:
    """Return what ``{% chat_head %}`` writes into a page."""
    return answer(chat_configuration(request))


@endpoint("GET")
def room_messages(request: HttpRequest, pk: int) -> HttpResponse:
    """Return a page of a room; ``?before=``, ``?after=`` and ``?limit=`` are those of `history`."""
    try:
        place = membership(pk, user_of(request))
    except (NotMember, OverflowError):
        return error(404, "not-found", _("Room not found."))
    query = request.GET
    before, after = (number(query.get(name), name, None) for name in ("before", "after"))
    limit = number(query.get("limit"), "limit", HISTORY_PAGE)
    return answer(history(place.room_id, before, after, limit, ROOM.alias))
