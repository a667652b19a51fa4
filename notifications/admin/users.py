"""The action “Notify the selected users…” on the list of users."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.db import models
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

SELECTED_LIMIT = 500  # users that one address carries


@admin.action(description=gettext_lazy("Notify the selected users…"))
def notify_selected(model_admin: Any, request: HttpRequest, queryset: models.QuerySet[Any]) -> HttpResponse | None:
    """Open a new broadcast to the selected users.

    It is there by itself on the list of users. On another list of users of yours: ``actions = [notify_selected]``.
    """
    if not request.user.has_perm("carillon.add_broadcast"):
        messages.error(request, _("You do not have permission to compose broadcasts."))
        return None
    pks = list(queryset.order_by("pk").values_list("pk", flat=True)[: SELECTED_LIMIT + 1])
    if len(pks) > SELECTED_LIMIT:
        message = _("You can select at most %(limit)s users. Send the broadcast to an audience or a group instead.")
        messages.error(request, message % {"limit": SELECTED_LIMIT})
        return None
    address = reverse("admin:carillon_broadcast_add", current_app=model_admin.admin_site.name)
    return HttpResponseRedirect(f"{address}?{urlencode({'users': ','.join(map(str, pks))})}")


def offer(site: admin.AdminSite) -> None:
    """Put the action on the site's list of users, if it has one."""
    from django.contrib.auth import get_user_model

    if not site.is_registered(get_user_model()):
        return
    users = site.get_model_admin(get_user_model())
    if notify_selected not in (users.actions or ()):
        users.actions = [*(users.actions or ()), notify_selected]
