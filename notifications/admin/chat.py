"""Moderation: rooms, members and messages with search, and a message can be hidden from everyone, live."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.db import models
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from ..chat.members import member_count
from ..chat.messages import hide_messages, unhide_messages
from ..live.chunks import chunks
from ..live.http import user_of
from ..models import Membership, Message, Room
from .inbox import ReadOnlyAdmin
from .people import username
from .rooms import around_table, latest_table, member_table, room_label, said

ACTED_AT_ONCE = 100  # messages in one transaction
ACTED_LIMIT = 1_000  # messages by one action; the list may hold millions
BODY_SHOWN = 80  # characters of a message in the list


class ModerationAdmin(ReadOnlyAdmin):
    """A read-only page with tables of members and messages."""

    class Media:
        css: ClassVar[dict[str, list[str]]] = {"all": ["notifications/admin/moderation.css"]}


@admin.register(Room)
class RoomAdmin(ModerationAdmin):
    """Conversations."""

    list_display = ("title", "kind", "members", "last_number", "active_at", "created_at")
    list_filter = ("kind", "active_at")
    ordering = ("-active_at",)
    fields = ("title", "kind", "created_at", "active_at", "who", "latest")

    def get_search_fields(self, request: HttpRequest) -> tuple[str, ...]:
        """Search the name and the members' user names."""
        return ("name", username("memberships__user"))

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Name the rooms and count their members in the same query."""
        rooms: Any = super().get_queryset(request)
        named: models.QuerySet[Any] = rooms.annotate(members=member_count(), label=room_label())
        return named

    @admin.display(description=_("name"), ordering="name")
    def title(self, room: Any) -> str:
        """Name the room, a direct one by its members."""
        return str(room)

    @admin.display(description=_("members"), ordering="members")
    def members(self, room: Any) -> int:
        """Show how many members the room has."""
        return room.members or 0

    @admin.display(description=_("members"))
    def who(self, room: Room) -> str:
        """List the members."""
        return member_table(room.pk)

    @admin.display(description=_("latest messages"))
    def latest(self, room: Room) -> str:
        """List the latest messages."""
        return latest_table(room.pk)


class RoomNames(ModerationAdmin):
    """Rows that belong to a room."""

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Name the rooms in the same query."""
        rows: Any = super().get_queryset(request)
        named: models.QuerySet[Any] = rows.annotate(label=room_label("room"))
        return named

    @admin.display(description=_("room"), ordering="room__name")
    def place(self, row: Any) -> str:
        """Lead to the room, which is named by its members if it is a direct one."""
        address = reverse("admin:carillon_room_change", args=[row.room_id], current_app=self.admin_site.name)
        return format_html('<a href="{}"><bdi>{}</bdi></a>', address, row.label or str(row.room))


@admin.register(Membership)
class MembershipAdmin(RoomNames):
    """Memberships."""

    list_display = ("__str__", "place", "user", "role", "muted", "last_read", "joined_at")
    list_filter = ("role", "muted")
    list_select_related = ("room", "user")
    ordering = ("-id",)
    fields = ("place", "user", "role", "muted", "last_read", "joined_at")

    def get_search_fields(self, request: HttpRequest) -> tuple[str, ...]:
        """Search the room's name and the member's user name."""
        return ("room__name", username("user"))


@admin.register(Message)
class MessageAdmin(RoomNames):
    """Messages, read-only except for hiding, which needs the permission to change messages."""

    list_display = ("excerpt", "author", "place", "number", "created_at", "hidden_at", "hidden_by")
    list_filter = (("hidden_at", admin.EmptyFieldListFilter), "kind", "created_at")
    list_select_related = ("room", "author", "subject", "hidden_by")
    ordering = ("-id",)
    actions = ("hide", "unhide")
    fields = (
        "place", "author", "created_at", "edited_at", "deleted_at", "hidden_at", "hidden_by", "around", "who",
    )  # fmt: skip

    def get_search_fields(self, request: HttpRequest) -> tuple[str, ...]:
        """Search the text, the room's name and the author's user name."""
        return ("body", "room__name", username("author"))

    def has_hide_permission(self, request: HttpRequest) -> bool:
        """Allow hiding with the permission to change messages."""
        return request.user.has_perm("carillon.change_message")

    @admin.display(description=_("text"))
    def excerpt(self, message: Message) -> str:
        """Show the beginning of the text, or what happened."""
        text = said(message)
        return text if len(text) <= BODY_SHOWN else f"{text[: BODY_SHOWN - 1]}…"

    @admin.display(description=_("messages"))
    def around(self, message: Message) -> str:
        """Show the message among those before and after it."""
        return around_table(message)

    @admin.display(description=_("members"))
    def who(self, message: Message) -> str:
        """List the members of the room."""
        return member_table(message.room_id)

    @admin.action(description=_("Hide from everyone"), permissions=["hide"])
    def hide(self, request: HttpRequest, chosen: models.QuerySet[Message]) -> None:
        """Replace each selected message by a tombstone, live for everybody."""
        found = self._found(request, chosen.filter(hidden_at=None, kind=Message.Kind.TEXT))
        if found is None:
            return
        for part in chunks(found, ACTED_AT_ONCE):
            hide_messages(part, by=user_of(request))
        self._say(request, found, ngettext("%d message was hidden.", "%d messages were hidden.", len(found)))

    @admin.action(description=_("Unhide"), permissions=["hide"])
    def unhide(self, request: HttpRequest, chosen: models.QuerySet[Message]) -> None:
        """Show each chosen message again."""
        found = self._found(request, chosen.filter(hidden_at__isnull=False))
        if found is None:
            return
        for part in chunks(found, ACTED_AT_ONCE):
            unhide_messages(part)
        self._say(
            request, found, ngettext("%d message is visible again.", "%d messages are visible again.", len(found))
        )

    def _found(self, request: HttpRequest, chosen: models.QuerySet[Message]) -> list[Message] | None:
        """Return the chosen messages; None where they are too many, of which staff are told."""
        found = list(chosen[: ACTED_LIMIT + 1])
        if len(found) <= ACTED_LIMIT:
            return found
        message = _("At most %(limit)s messages can be hidden or shown at a time.") % {"limit": ACTED_LIMIT}
        self.message_user(request, message, messages.ERROR)
        return None

    def _say(self, request: HttpRequest, changed: list[Message], text: str) -> None:
        LogEntry.objects.log_actions(user_of(request).pk, changed, CHANGE, text % 1)
        self.message_user(request, text % len(changed), messages.SUCCESS if changed else messages.INFO)
