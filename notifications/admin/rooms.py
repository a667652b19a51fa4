"""What the pages of moderation show of rooms: their names, their members, and what was said around a message."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import Case, CharField, Expression, F, OuterRef, QuerySet, Subquery, Value, When
from django.db.models.functions import Cast, Coalesce, Concat
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from ..models import Membership, Message, Room
from .people import label, username
from .times import when

MEMBERS_SHOWN = 50  # of a room, on its page and on those of its messages
LATEST_SHOWN = 20  # messages, on the page of a room
AROUND_SHOWN = 5  # messages before another and after it
NO_NAME = "–"


def room_label(room: str = "") -> Case:
    """Return the name of a room in the database, that of a direct room made of its two members.

    Args:
        room: The path from the queried rows to the room.
    """
    prefix = f"{room}__" if room else ""
    # Users may sign in with a number, and text has room for any.
    names = Membership.objects.annotate(name=Cast(username("user"), CharField(max_length=254)))
    places = names.filter(room=OuterRef(f"{prefix}pk")).order_by("pk").values("name")
    one, other = (Coalesce(Subquery(places[number : number + 1]), Value(NO_NAME)) for number in range(2))
    between: Expression = Concat(one, Value(" · "), other)
    return Case(When(**{f"{prefix}kind": Room.Kind.DIRECT}, then=between), default=F(f"{prefix}name"))


def member_table(room: Any) -> SafeString:
    """List the members of a room."""
    places = list(Membership.objects.filter(room=room).select_related("user").order_by("pk")[: MEMBERS_SHOWN + 1])
    rows = [
        (label(place.user), place.get_role_display(), when(place.joined_at), place.last_read)
        for place in places[:MEMBERS_SHOWN]
    ]
    more = _("There are more members.") if len(places) > MEMBERS_SHOWN else ""
    heads = (_("Member"), _("Role"), _("Since"), _("Read up to"))
    body = format_html_join("", "<tr><td><bdi>{}</bdi></td><td>{}</td><td>{}</td><td>{}</td></tr>", rows)
    return format_html("{}<p>{}</p>", _table(heads, body), more) if more else _table(heads, body)


def latest_table(room: Any) -> SafeString:
    """List the latest messages of a room, in their order."""
    return _messages(reversed(_numbered(room).order_by("-number")[:LATEST_SHOWN]))


def around_table(message: Message) -> SafeString:
    """List a message with those before and after it."""
    if message.number is None:
        return _messages([message], message)
    near = (message.number - AROUND_SHOWN, message.number + AROUND_SHOWN)
    return _messages(_numbered(message.room_id).filter(number__range=near).order_by("number"), message)


def said(message: Message) -> str:
    """Return the text of a message, and what happened where it is an event."""
    if message.kind != Message.Kind.TEXT:
        words = [message.get_kind_display(), label(message.subject), message.body]
        return ": ".join(filter(None, [words[0], " ".join(filter(None, words[1:]))]))
    return message.body or _("(deleted)")


def _numbered(room: Any) -> QuerySet[Message]:
    return Message.objects.filter(room=room).numbered().select_related("author", "subject")


def _messages(messages: Iterable[Message], current: Message | None = None) -> SafeString:
    rows = (
        (
            SafeString(' aria-current="true"') if current is not None and message.pk == current.pk else "",
            message.number or "",
            when(message.created_at),
            label(message.author) or NO_NAME,
            reverse("admin:carillon_message_change", args=[message.pk]),
            said(message),
            _("hidden") if message.hidden_at else "",
        )
        for message in messages
    )
    row = '<tr{}><td>{}</td><td>{}</td><td><bdi>{}</bdi></td><td dir="auto"><a href="{}">{}</a></td><td>{}</td></tr>'
    return _table((_("No."), _("Time"), _("Author"), _("Message"), ""), format_html_join("", row, rows))


def _table(heads: Iterable[str], rows: SafeString) -> SafeString:
    cells = format_html_join("", '<th scope="col">{}</th>', ((head,) for head in heads))
    return format_html('<table class="carillon-table"><thead><tr>{}</tr></thead><tbody>{}</tbody></table>', cells, rows)
