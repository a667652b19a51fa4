"""Endpoints that fail: since when, and that they are switched off after some days, of which their owners are told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from django.db import router
from django.db.models import QuerySet
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ..audiences.registration import people
from ..audiences.registration import staff as staff_among
from ..conf import conf
from ..inbox.notify import notify
from ..kinds import Kind, kind, registry
from ..live.transactions import atomic
from ..models import Endpoint

KEY: Final = "webhook.disabled"
STAFF_LIMIT: Final = 100  # who are told of endpoints of groups and of the site
PERMISSION: Final = "carillon.change_endpoint"


class EndpointDisabled(Kind):
    """An endpoint was switched off."""

    name: str
    host: str
    why: str
    link: str

    def title(self) -> str:
        """Say which one."""
        return _("The webhook “%(name)s” was switched off") % {"name": self.name}

    def body(self) -> str:
        """Say why, and what to do."""
        if self.why == Endpoint.Stop.GONE:
            return _("%(host)s says that the address is gone. Nothing is sent to it any more.") % {"host": self.host}
        message = _("%(host)s has failed for days. What was not sent can be sent again once it is switched on.")
        return message % {"host": self.host}

    def url(self) -> str:
        """Lead staff to it."""
        return self.link


def declare() -> None:
    """Declare the kind, where there are webhooks: elsewhere nobody need choose about it."""
    if KEY not in registry:
        label = gettext_lazy("Webhooks that were switched off")
        kind(KEY, level="error", required=True, label=label)(EndpointDisabled)


def declare_if_used() -> None:
    """Declare the kind if the settings have a channel of webhooks."""
    try:
        used = any(".webhook." in said.backend or name.startswith("webhook") for name, said in conf.CHANNELS.items())
    except (TypeError, ValueError):
        return  # a check says what is wrong with the setting
    if used:
        declare()


def note_success(endpoint: Endpoint) -> None:
    """Note that something has arrived; it costs a statement only after failures."""
    if endpoint.failing_since is not None:
        _rows(endpoint).filter(failing_since__isnull=False).update(failing_since=None)


def note_failure(endpoint: Endpoint, limit: timedelta) -> None:
    """Note that something has not arrived, and switch the endpoint off if it has been so for `limit`."""
    now = timezone.now()
    if endpoint.failing_since is None:
        _rows(endpoint).filter(failing_since__isnull=True).update(failing_since=now)
    elif now - endpoint.failing_since >= limit:
        stop(endpoint, Endpoint.Stop.FAILING)


def stop(endpoint: Endpoint, why: str) -> None:
    """Switch an endpoint off, and tell its owner; staff where it is a group's or the site's. It happens once."""
    declare()
    with atomic(router.db_for_write(Endpoint)):
        if _rows(endpoint).filter(stopped="").update(stopped=why, stopped_at=timezone.now()):
            told = [endpoint.user] if endpoint.user is not None else staff()
            link = admin_link(endpoint) if endpoint.user is None else ""
            host = endpoint.url.split("/")[2] if endpoint.url.count("/") > 1 else endpoint.url
            notify(told, EndpointDisabled(name=str(endpoint), host=host, why=why, link=link))


def staff() -> Sequence[Any]:
    """Return those who look after the endpoints of groups and of the site."""
    users = staff_among(people(router.db_for_write(Endpoint))).order_by("pk")[:STAFF_LIMIT]
    return [user for user in users if user.has_perm(PERMISSION)]


def admin_link(endpoint: Endpoint) -> str:
    """Return the path of an endpoint's page in the admin; empty where there is no admin."""
    try:
        return reverse("admin:carillon_endpoint_change", args=[endpoint.pk])
    except NoReverseMatch:
        return ""


def _rows(endpoint: Endpoint) -> QuerySet[Endpoint]:
    return Endpoint.objects.using(router.db_for_write(Endpoint)).filter(pk=endpoint.pk)
