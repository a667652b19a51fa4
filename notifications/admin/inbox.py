"""The admin: what was sent, to whom, and what became of it. Read-only: the services are the only writers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.db import models
from django.http import HttpRequest

from ..models import Notice, Notification
from .people import labelled

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Any]
else:  # generic for type checkers only
    ModelAdmin = admin.ModelAdmin


class ReadOnlyAdmin(ModelAdmin):
    """A read-only admin: view, search and filter."""

    show_full_result_count = False  # counting millions of rows takes longer than showing a page
    list_per_page = 50

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        """Name users, whatever their model is."""
        return labelled(self.model, super().get_list_display(request))

    def get_fields(self, request: HttpRequest, obj: models.Model | None = None) -> list[Any]:
        """Name users, whatever their model is."""
        return labelled(self.model, super().get_fields(request, obj))

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Refuse."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        """Refuse."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        """Refuse on our own pages; a user's page asks too, because a user's copies are deleted with the user."""
        match = request.resolver_match
        is_ours = match is None or str(match.url_name).startswith(f"{self.opts.app_label}_{self.opts.model_name}_")
        return not is_ours and super().has_delete_permission(request, obj)


@admin.register(Notice)
class NoticeAdmin(ReadOnlyAdmin):
    """Contents, each stored once."""

    list_display = ("title", "level", "category", "kind", "actor", "created_at", "expires_at")
    list_filter = ("level", "created_at")
    list_select_related = ("actor",)
    search_fields = ("title", "body", "kind", "category")
    ordering = ("-id",)


@admin.register(Notification)
class NotificationAdmin(ReadOnlyAdmin):
    """Copies, one for each recipient."""

    list_display = ("title", "recipient", "created_at", "seen_at", "read_at", "archived_at")
    list_filter: ClassVar[list[Any]] = [
        ("seen_at", admin.EmptyFieldListFilter),
        ("read_at", admin.EmptyFieldListFilter),
        ("archived_at", admin.EmptyFieldListFilter),
    ]
    list_select_related = ("notice", "recipient")
    ordering = ("-id",)

    def get_search_fields(self, request: HttpRequest) -> tuple[str, ...]:
        """Search the title and the recipient's user name, whatever the user model calls it."""
        return ("notice__title", f"recipient__{get_user_model().USERNAME_FIELD}")

    @admin.display(description=Notice._meta.get_field("title").verbose_name, ordering="notice__title")
    def title(self, notification: Notification) -> str:
        """Show the notice's title."""
        return notification.notice.title

    @admin.display(description=Notice._meta.get_field("created_at").verbose_name, ordering="notice__created_at")
    def created_at(self, notification: Notification) -> Any:
        """Show when the notice was made."""
        return notification.notice.created_at
