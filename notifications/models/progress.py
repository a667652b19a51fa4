"""Work in progress that a notification tells of."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from .inbox import Notice


class Progress(models.Model):
    """The work behind a notification that grows: who does it renews `lease_until`, which is null once it is over."""

    class State(models.TextChoices):
        """How far the work is."""

        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")
        CANCELLED = "cancelled", _("Cancelled")

    notice = models.OneToOneField(
        Notice, verbose_name=_("notice"), on_delete=models.CASCADE, primary_key=True, related_name="+"
    )
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.RUNNING, editable=False)
    lease_until = models.DateTimeField(_("lease until"), null=True, editable=False, db_index=True)
    cancel_requested_at = models.DateTimeField(_("cancel requested at"), null=True, editable=False)

    objects: ClassVar[models.Manager[Progress]]

    class Meta:
        verbose_name = _("progress")
        verbose_name_plural = _("progress")

    def __str__(self) -> str:
        """Name the work by its notice."""
        return f"progress of notice {self.notice_id}"
