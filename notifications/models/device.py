"""Devices: the browsers to which what is pushed to a user goes."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .django_internals import cascade_in_bulk

ENDPOINT_LENGTH = 1_000  # characters; the longest known ones have some 700
DEVICE_NAME_LENGTH = 60  # characters


class PushDevice(models.Model):
    """A browser of a user's that takes pushes: where its push service takes them, and for which keys to encrypt them.

    `digest` is of the endpoint, which is too long for an index of its own. `token` is what the browser's cookie holds,
    as a digest: by it the device is found when somebody signs out or in there. `stamp` is a fingerprint of what the
    user's sessions depended on when it was last confirmed: with another password, nothing is pushed until it is again.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("user"),
        on_delete=cascade_in_bulk,
        related_name="+",
        db_index=False,  # `carillon_devices` begins with it
    )
    endpoint = models.CharField(_("endpoint"), max_length=ENDPOINT_LENGTH, editable=False)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    p256dh = models.CharField(max_length=87, editable=False)
    auth = models.CharField(max_length=22, editable=False)
    token = models.CharField(max_length=64, unique=True, editable=False)
    stamp = models.CharField(max_length=16, blank=True, editable=False)
    name = models.CharField(_("name"), max_length=DEVICE_NAME_LENGTH, blank=True)
    language = models.CharField(_("language"), max_length=20, blank=True, editable=False)
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)
    used_at = models.DateTimeField(_("last used at"), null=True, editable=False)

    objects: ClassVar[models.Manager[PushDevice]]

    class Meta:
        verbose_name = _("push device")
        verbose_name_plural = _("push devices")
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["user", "created_at"], name="carillon_devices"),
        ]

    def __str__(self) -> str:
        """Return its name."""
        return self.name
