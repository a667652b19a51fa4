"""Broadcasts: one notice for a whole audience, collected by each recipient's inbox when its owner is there."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from ..audiences import Audience, validate_audience
from ..validators import validate_names
from .content import OF_KIND, Content
from .inbox import Notice
from .indexes import NullsIndex
from .stream import Stream

BROADCAST_KIND = "broadcast"  # of the notices of those that have no kind
OUTBOX = 1  # the primary key of the one outbox


class Outbox(Stream):
    """The stream of all broadcasts: each inbox remembers how far it has collected it. There is one."""

    objects: ClassVar[models.Manager[Outbox]]

    class Meta:
        verbose_name = _("outbox")
        verbose_name_plural = _("outboxes")

    def __str__(self) -> str:
        """Name its position."""
        return f"outbox at {self.head}"


class BroadcastState(models.TextChoices):
    """Where a broadcast is on its way."""

    DRAFT = "draft", _("Draft")
    SCHEDULED = "scheduled", _("Scheduled")
    SENDING = "sending", _("Sending")  # published, and waiting for its position in the outbox
    SENT = "sent", _("Sent")
    RECALLED = "recalled", _("Recalled")


class BroadcastQuerySet(models.QuerySet["Broadcast"]):
    """Broadcasts by what is to be done with them."""

    def due(self) -> BroadcastQuerySet:
        """Keep those whose time has come."""
        return self.filter(state=BroadcastState.SCHEDULED, publish_at__lte=timezone.now())

    def published(self) -> BroadcastQuerySet:
        """Keep those that have been sent, recalled ones included."""
        return self.filter(notice__isnull=False)

    def live(self) -> BroadcastQuerySet:
        """Keep those in the outbox that are neither recalled nor expired."""
        current = Q(expires_at__isnull=True) | Q(expires_at__gt=timezone.now())
        return self.filter(current, state=BroadcastState.SENT)


def nobody() -> dict[str, object]:
    """Return the audience of a new broadcast."""
    return Audience().dump()


class Broadcast(Content):
    """A broadcast to an audience. Services change it; each change is a compare-and-set on `revision`.

    As with notifications, `modseq` is the position of the latest change in the outbox, null while the change
    waits for it, and `arrival` the first one.

    `channels` are the names of those by which it is sent beyond the site. Its deliveries are made in batches after it
    was published: `walked` says up to which user, by primary key as text, for each channel that is not done yet, and
    `walk_at` when somebody goes on, or looks whether whoever does is still alive; null when all are made.
    """

    audience = models.JSONField(_("audience"), default=nobody, validators=[validate_audience])
    channels = models.JSONField(_("sent by"), default=list, blank=True, validators=[validate_names])
    publish_at = models.DateTimeField(_("send at"), null=True, blank=True)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("author"),
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        editable=False,
        related_name="+",
    )
    state = models.CharField(
        _("state"), max_length=10, choices=BroadcastState, default=BroadcastState.DRAFT, editable=False
    )
    problem = models.CharField(_("problem"), max_length=500, blank=True, default="", editable=False)
    revision = models.PositiveIntegerField(_("revision"), default=0, editable=False)
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)
    published_at = models.DateTimeField(_("sent at"), null=True, blank=True, editable=False)
    recalled_at = models.DateTimeField(_("recalled at"), null=True, blank=True, editable=False)
    reach = models.PositiveBigIntegerField(_("audience size"), null=True, blank=True, editable=False)
    reach_exact = models.BooleanField(_("audience size is exact"), default=False, editable=False)
    notice = models.OneToOneField(
        Notice,
        verbose_name=_("notice"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        related_name="+",
    )
    outbox = models.ForeignKey(
        Outbox,
        verbose_name=_("outbox"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        related_name="+",
        db_constraint=False,  # as that of messages; the sequencer makes the outbox
        db_index=False,
    )
    modseq = models.BigIntegerField(_("position"), null=True, editable=False)
    arrival = models.BigIntegerField(_("arrival"), null=True, editable=False)
    walked = models.JSONField(_("deliveries made up to"), default=dict, blank=True, editable=False)
    walk_at = models.DateTimeField(_("next deliveries at"), null=True, editable=False)

    objects = BroadcastQuerySet.as_manager()

    class Meta:
        verbose_name = _("broadcast")
        verbose_name_plural = _("broadcasts")
        ordering: ClassVar[list[str]] = ["-id"]
        permissions: ClassVar[list[tuple[str, Any]]] = [
            ("send_broadcast", "Can send broadcasts"),
            ("recall_broadcast", "Can recall broadcasts"),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["outbox", "modseq"], name="carillon_posted"),  # the sequencer, and what changed since
            models.Index(fields=["arrival"], name="carillon_published"),  # what was published since
            models.Index(fields=["state", "publish_at"], name="carillon_due"),
            # what has deliveries to be made
            NullsIndex(fields=["walk_at"], nulls=[], given=["walk_at"], name="carillon_walking"),
        ]

    @property
    def expired(self) -> bool:
        """Whether it has expired, so that nobody receives or sees it any more."""
        return self.expires_at is not None and self.expires_at <= timezone.now()

    def notice_fields(self) -> dict[str, Any]:
        """Return what its notice has of it, by name."""
        return self.content() | {name: getattr(self, name) for name in OF_KIND} | {"kind": self.kind or BROADCAST_KIND}

    def audience_of(self) -> Audience:
        """Return the audience.

        Raises:
            ValidationError: The stored definition has another form.
        """
        return Audience.parse(self.audience)
