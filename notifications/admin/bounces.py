"""The admin: addresses that refuse messages. Deleting a row has the next message tried there again."""

from __future__ import annotations

from django.contrib import admin
from django.db import models
from django.http import HttpRequest

from ..models import Bounce
from .inbox import ReadOnlyAdmin


@admin.register(Bounce)
class BounceAdmin(ReadOnlyAdmin):
    """Bounced addresses, each until its user has another one or somebody deletes it here."""

    list_display = ("address", "user", "channel", "detail", "bounced_at")
    list_filter = ("channel", "bounced_at")
    list_select_related = ("user",)
    search_fields = ("address",)
    ordering = ("-bounced_at",)
    fields = ("address", "user", "channel", "detail", "bounced_at")

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        """Allow deleting with Django's own permission."""
        return request.user.has_perm("carillon.delete_bounce")
