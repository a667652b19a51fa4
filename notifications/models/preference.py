"""Preferences: where a user wants something else of notifications than what the code says."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from ..conf import CHANNEL_LENGTH
from .django_internals import cascade_in_bulk

SCOPE_LENGTH = 120  # characters: "category:" and the longest name of one


class Preference(models.Model):
    """A user's own choice for one channel; there is none for what is as the code says.

    `scope` is what it is about: ``kind:<key>``, ``category:<name>``, or nothing for all notifications.
    """

    class Value(models.TextChoices):
        """What a user may want of a channel."""

        ON = "on", _("on")
        OFF = "off", _("off")
        DIGEST = "digest", _("in a digest")

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("user"),
        on_delete=cascade_in_bulk,
        related_name="+",
        db_index=False,  # `carillon_one_choice` begins with it
    )
    scope = models.CharField(_("scope"), max_length=SCOPE_LENGTH, blank=True)
    channel = models.CharField(_("channel"), max_length=CHANNEL_LENGTH)
    value = models.CharField(_("value"), max_length=10, choices=Value)

    objects: ClassVar[models.Manager[Preference]]

    class Meta:
        verbose_name = _("preference")
        verbose_name_plural = _("preferences")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["user", "scope", "channel"], name="carillon_one_choice"),
        ]

    def __str__(self) -> str:
        """Name what is chosen."""
        return f"{self.channel} {self.value} for {self.scope or 'everything'}"
