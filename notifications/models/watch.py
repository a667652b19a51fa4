"""Watching: who wants to hear of what happens to an object of the site."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .django_internals import cascade_in_bulk


class Watch(models.Model):
    """How much a user wants to hear of an object, which is named by its model's label and its key.

    It ends at `until`. While it is muted, until `muted_until`, its level is as if it were none; then it holds again. A
    mute lasts as long as it says, also beyond the end of what it has muted.
    """

    class Level(models.TextChoices):
        """How much."""

        ALL = "all", _("All activity")
        PARTICIPATING = "participating", _("What I take part in")
        MENTIONS = "mentions", _("Only mentions")
        NONE = "none", _("Nothing")

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("user"),
        on_delete=cascade_in_bulk,
        related_name="+",
        db_index=False,  # `carillon_one_watch` begins with it
    )
    about_model = models.CharField(_("about a"), max_length=100, editable=False)
    about_key = models.CharField(_("with the key"), max_length=200, editable=False)
    level = models.CharField(_("level"), max_length=20, choices=Level, default=Level.ALL)
    until = models.DateTimeField(_("until"), null=True, blank=True)
    muted_until = models.DateTimeField(_("muted until"), null=True, blank=True)

    objects: ClassVar[models.Manager[Watch]]

    class Meta:
        verbose_name = _("watch")
        verbose_name_plural = _("watches")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["user", "about_model", "about_key"], name="carillon_one_watch"),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["about_model", "about_key", "level"], name="carillon_watchers"),
        ]

    def __str__(self) -> str:
        """Name the object and the level."""
        return f"{self.level} of {self.about_model} {self.about_key}"


def holds(now: object = None) -> Q:
    """Return the condition that a watch has not ended and is not muted by `now` (the present)."""
    now = now or timezone.now()
    return _current(now) & (Q(muted_until__isnull=True) | Q(muted_until__lte=now))


def is_muted() -> Q:
    """Return the condition that a user wants to hear nothing of an object now."""
    now = timezone.now()
    return Q(muted_until__gt=now) | (_current(now) & Q(level=Watch.Level.NONE))


def is_over() -> Q:
    """Return the condition that a watch has ended, and so has its mute."""
    now = timezone.now()
    return Q(until__lte=now) & (Q(muted_until__isnull=True) | Q(muted_until__lte=now))


def _current(now: object) -> Q:
    return Q(until__isnull=True) | Q(until__gt=now)
