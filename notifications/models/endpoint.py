"""Endpoints: addresses of programs that are told of notifications by webhooks."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.contrib.auth.models import Group
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from ..conf import CHANNEL_LENGTH
from .django_internals import cascade_in_bulk

ENDPOINT_URL_LENGTH = 1_000  # characters
SECRET_LENGTH = 100  # characters


class Endpoint(models.Model):
    """An address of a user, of a group, or, if it has neither, of the site.

    `events` are the kinds and categories of which it is told, as ``"kind:order.shipped"`` and ``"category:orders"``;
    none means all. The secrets sign, the previous one until it ends, and so they are stored as they are.
    `failing_since` is the first failure after which nothing has arrived.
    """

    class Shape(models.TextChoices):
        """What is posted."""

        STANDARD = "standard", _("Standard Webhooks")
        SLACK = "slack", "Slack"
        TEAMS = "teams", "Microsoft Teams"
        DISCORD = "discord", "Discord"

    class Stop(models.TextChoices):
        """Why it is switched off."""

        HAND = "hand", _("by hand")
        FAILING = "failing", _("it failed for days")
        GONE = "gone", _("its address has said that it is gone")

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("user"),
        on_delete=cascade_in_bulk,
        null=True,
        blank=True,
        related_name="+",
    )
    group = models.ForeignKey(
        Group, verbose_name=_("group"), on_delete=models.CASCADE, null=True, blank=True, related_name="+"
    )
    channel = models.CharField(_("channel"), max_length=CHANNEL_LENGTH, default="webhook")
    url = models.CharField(_("address"), max_length=ENDPOINT_URL_LENGTH)
    description = models.CharField(_("description"), max_length=200, blank=True, default="")
    shape = models.CharField(_("shape"), max_length=20, choices=Shape, default=Shape.STANDARD)
    events = models.JSONField(_("events"), blank=True, default=list)
    secret = models.CharField(max_length=SECRET_LENGTH, editable=False)
    previous_secret = models.CharField(max_length=SECRET_LENGTH, blank=True, default="", editable=False)
    previous_until = models.DateTimeField(_("previous secret until"), null=True, blank=True, editable=False)
    stopped = models.CharField(_("switched off"), max_length=10, choices=Stop, blank=True, default="", editable=False)
    stopped_at = models.DateTimeField(_("switched off at"), null=True, blank=True, editable=False)
    failing_since = models.DateTimeField(_("failing since"), null=True, blank=True, editable=False)
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)

    objects: ClassVar[models.Manager[Endpoint]]

    class Meta:
        verbose_name = _("webhook")
        verbose_name_plural = _("webhooks")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=Q(user__isnull=True) | Q(group__isnull=True),
                name="carillon_endpoint_has_one_owner",
                violation_error_message=_("It belongs to a user or to a group, not to both."),
            ),
        ]

    def __str__(self) -> str:
        """Name it by its description, or its key; the address may hold secrets."""
        return self.description or f"webhook {self.pk}"

    def secrets(self) -> list[str]:
        """Return the secrets that sign now, the current one first."""
        until = self.previous_until
        if self.previous_secret and until is not None and timezone.now() < until:
            return [self.secret, self.previous_secret]
        return [self.secret]

    def takes(self, scopes: tuple[str, ...]) -> bool:
        """Return whether it is told of what has these scopes."""
        return not self.events or not set(self.events).isdisjoint(scopes)
