"""Schedules: when and how a user wants to be told beyond the site, where that is not as the site says."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from .django_internals import cascade_in_bulk

TIME_ZONE_LENGTH = 64  # characters
LANGUAGE_LENGTH = 35  # characters: the longest tag that RFC 5646 asks programs to take


class Schedule(models.Model):
    """A user's own schedule; there is none for who wants it all as the site says.

    `quiet_hours` is a list of texts, as `notifications.hours` reads them, and null where they are the site's. `digests`
    says when digests come, by the scopes of preferences. What disturbs waits until `not_before`.
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        verbose_name=_("user"),
        on_delete=cascade_in_bulk,
        related_name="+",
        primary_key=True,
    )
    time_zone = models.CharField(_("time zone"), max_length=TIME_ZONE_LENGTH, blank=True, default="")
    language = models.CharField(_("language"), max_length=LANGUAGE_LENGTH, blank=True, default="")
    quiet_hours = models.JSONField(_("quiet hours"), null=True, blank=True)
    not_before = models.DateTimeField(_("not before"), null=True, blank=True)
    digests = models.JSONField(_("digests"), default=dict, blank=True)

    objects: ClassVar[models.Manager[Schedule]]

    class Meta:
        verbose_name = _("schedule")
        verbose_name_plural = _("schedules")

    def __str__(self) -> str:
        """Name it by its time zone."""
        return self.time_zone
