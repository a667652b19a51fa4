"""Deliveries: what was, or is to be, sent of a notification by a channel beyond the site."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from ..conf import CHANNEL_LENGTH
from .django_internals import cascade_in_bulk
from .inbox import Notice
from .indexes import NullsIndex

DEVICE_LENGTH = 64  # characters
DELIVERY_KEY_LENGTH = 60  # characters
ADDRESS_LENGTH = 320  # characters: the longest address of an e-mail
ERROR_LENGTH = 500  # characters


class Delivery(models.Model):
    """One recipient, one channel, one of the recipient's devices: what is sent there, and what became of it.

    `key` says what: the notice's primary key, or for a digest the end of its window. `due_at` is when it is looked at
    next, and null when that is never; of one that is being sent it is the end of the lease of its worker, whose mark is
    `claim`. `window` is the end of the digest that a notice waits for. `rule` is the preference that wanted it.
    `clicked_at` is when its link was followed first. Without a recipient it goes to a device that many share, as the
    webhook of a group is. No text of what is sent is stored.
    """

    class State(models.TextChoices):
        """How far it is."""

        WAITING = "waiting", _("waiting")
        SENDING = "sending", _("being sent")
        SENT = "sent", _("sent")
        FAILED = "failed", _("failed")
        SKIPPED = "skipped", _("not sent")

    class Reason(models.TextChoices):
        """Why it was not sent, or waits."""

        SEEN = "seen", _("the recipient has seen it")
        PREFERENCE = "preference", _("the recipient does not want it")
        QUIET_HOURS = "quiet-hours", _("the recipient has quiet hours")
        NO_ADDRESS = "no-address", _("the recipient has no address")
        NO_DEVICE = "no-device", _("the recipient has no device")
        EXPIRED = "expired", _("it has expired")
        WITHDRAWN = "withdrawn", _("it was withdrawn")
        SUPERSEDED = "superseded", _("another one tells of it")
        BOUNCED = "bounced", _("the address does not take any")
        GONE = "gone", _("the recipient or the notification is gone")

    recipient = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("recipient"),
        on_delete=cascade_in_bulk,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,  # `carillon_one_delivery` begins with it
    )
    notice = models.ForeignKey(
        Notice,
        verbose_name=_("notice"),
        on_delete=cascade_in_bulk,
        null=True,
        related_name="+",
        db_index=False,  # `carillon_delivery_figures` begins with it
    )
    channel = models.CharField(_("channel"), max_length=CHANNEL_LENGTH)
    device = models.CharField(_("device"), max_length=DEVICE_LENGTH, blank=True, default="")
    key = models.CharField(max_length=DELIVERY_KEY_LENGTH, editable=False)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.WAITING)
    reason = models.CharField(_("reason"), max_length=20, choices=Reason, blank=True, default="")
    rule = models.CharField(_("rule"), max_length=20, blank=True, default="")
    address = models.CharField(_("address"), max_length=ADDRESS_LENGTH, blank=True, default="")
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    error = models.CharField(_("error"), max_length=ERROR_LENGTH, blank=True, default="")
    claim = models.CharField(max_length=32, blank=True, default="", editable=False)
    window = models.DateTimeField(_("digest at"), null=True, editable=False)
    created_at = models.DateTimeField(_("created at"), editable=False)
    due_at = models.DateTimeField(_("due at"), null=True, editable=False)
    ended_at = models.DateTimeField(_("ended at"), null=True, editable=False)
    clicked_at = models.DateTimeField(_("clicked at"), null=True, editable=False)

    objects: ClassVar[models.Manager[Delivery]]

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["recipient", "key", "channel", "device"], name="carillon_one_delivery"),
        ]
        indexes: ClassVar[list[models.Index]] = [
            # what falls due
            NullsIndex(fields=["channel", "due_at"], nulls=[], given=["due_at"], name="carillon_delivery_due"),
            # what waits for a digest
            NullsIndex(fields=["recipient", "window"], nulls=[], given=["window"], name="carillon_delivery_digest"),
            # what became of a notice, by channel
            models.Index(
                fields=["notice", "channel", "state", "reason", "clicked_at"], name="carillon_delivery_figures"
            ),
            # what is old enough to be deleted
            NullsIndex(fields=["ended_at"], nulls=[], given=["ended_at"], name="carillon_delivery_ended"),
        ]

    def __str__(self) -> str:
        """Name it by its channel and state."""
        return f"{self.channel} {self.state}"
