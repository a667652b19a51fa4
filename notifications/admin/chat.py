"""Moderation: rooms, members and messages with search, and a message can be hidden from everyone, live."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth import get_user_model
from django.db import models
from django.db.models import Count
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from ..chat.messages import hide_messages, unhide_messages
from ..live.chunks import chunks
from ..live.http import user_of
from ..models import Membership, Message, Room
from .inbox import ReadOnlyAdmin

ACTED_AT_ONCE = 100  # messages in one transaction
BODY_SHOWN = 80  # characters of a message in the list


def _username(path: str) -> str:
    return f"{path}__{get_user_model().USERNAME_FIELD}"


@admin.register(Room)
class RoomAdmin(ReadOnlyAdmin):
    """Conversations."""

    list_display = ("__str__", "kind", "members", "last_number", "active_at", "created_at")
    list_filter = ("kind", "active_at")
    ordering = ("-active_at",)

    def get_search_fields(self, request: HttpRequest) -> tuple[str, ...]:
        """Search the name and the members' user names."""
        return ("name", _username("memberships__user"))

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Count the members of every room shown in the same query."""
        places = Membership.objects.filter(room=models.OuterRef("pk")).order_by().values("room")
        counted = models.Subquery(places.annotate(n=Count("pk")).values("n"))
        rooms: models.QuerySet[Any] = super().get_queryset(request).annotate(members=counted)
        return rooms

    @admin.display(description=_("members"), ordering="members")
    def members(self, room: Any) -> int:
        """Show how many members the room has."""
        return room.members or 0


@admin.register(Membership)
class MembershipAdmin(ReadOnlyAdmin):
    """Memberships."""

    list_display = ("room", "user", "role", "muted", "last_read", "joined_at")
    list_filter = ("role", "muted")
    list_select_related = ("room", "user")
    ordering = ("-id",)

    def get_search_fields(self, request: HttpRequest) -> tuple[str, ...]:
        """Search the room's name and the member's user name."""
        return ("room__name", _username("user"))


@admin.register(Message)
class MessageAdmin(ReadOnlyAdmin):
    """Messages, read-only except for hiding, which needs the permission to change messages."""

    list_display = ("room", "number", "author", "excerpt", "created_at", "hidden_at", "hidden_by")
    list_filter = (("hidden_at", admin.EmptyFieldListFilter), "kind", "created_at")
    list_select_related = ("room", "author", "hidden_by")
    ordering = ("-id",)
    actions = ("hide", "unhide")

    def get_search_fields(self, request: HttpRequest) -> tuple[str, ...]:
        """Search the text, the room's name and the author's user name."""
        return ("body", "room__name", _username("author"))

    def has_hide_permission(self, request: HttpRequest) -> bool:
        """Allow hiding with the permission to change messages."""
        return request.user.has_perm("carillon.change_message")

    @admin.display(description=_("text"))
    def excerpt(self, message: Message) -> str:
        """Show the beginning of the text."""
        return message.body if len(message.body) <= BODY_SHOWN else f"{message.body[: BODY_SHOWN - 1]}…"

    @admin.action(description=_("Hide from everyone"), permissions=["hide"])
    def hide(self, request: HttpRequest, chosen: models.QuerySet[Message]) -> None:
        """Replace each selected message by a tombstone, live for everybody."""
        found = list(chosen.filter(hidden_at=None, kind=Message.Kind.TEXT))
        for part in chunks(found, ACTED_AT_ONCE):
            hide_messages(part, by=user_of(request))
        self._say(request, found, ngettext("%d message was hidden.", "%d messages were hidden.", len(found)))

    @admin.action(description=_("Unhide"), permissions=["hide"])
    def unhide(self, request: HttpRequest, chosen: models.QuerySet[Message]) -> None:
        """Show each chosen message again."""
        found = list(chosen.filter(hidden_at__isnull=False))
        for part in chunks(found, ACTED_AT_ONCE):
            unhide_messages(part)
        self._say(
            request, found, ngettext("%d message is visible again.", "%d messages are visible again.", len(found))
        )

    def _say(self, request: HttpRequest, changed: list[Message], text: str) -> None:
        LogEntry.objects.log_actions(user_of(request).pk, changed, CHANGE, text % 1)
        self.message_user(request, text % len(changed), messages.SUCCESS if changed else messages.INFO)
