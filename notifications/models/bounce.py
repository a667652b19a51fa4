"""Bounces: addresses that take no more messages."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from ..conf import CHANNEL_LENGTH
from .delivery import ADDRESS_LENGTH, ERROR_LENGTH
from .django_internals import cascade_in_bulk


class Bounce(models.Model):
    """A user's address by a channel that refuses messages for good; it holds until the user has another address."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("user"),
        on_delete=cascade_in_bulk,
        related_name="+",
        db_index=False,  # `carillon_one_bounce` begins with it
    )
    channel = models.CharField(_("channel"), max_length=CHANNEL_LENGTH)
    address = models.CharField(_("address"), max_length=ADDRESS_LENGTH)
    detail = models.CharField(_("what the other side said"), max_length=ERROR_LENGTH, blank=True, default="")
    bounced_at = models.DateTimeField(_("bounced at"), default=timezone.now, editable=False)

    objects: ClassVar[models.Manager[Bounce]]

    class Meta:
        verbose_name = _("bounced address")
        verbose_name_plural = _("bounced addresses")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["user", "channel"], name="carillon_one_bounce"),
        ]

    def __str__(self) -> str:
        """Name the channel and the address."""
        return f"{self.channel} {self.address}"
