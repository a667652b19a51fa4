"""Feeds: streams of what an application publishes, and their events."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .stream import Stream

FEED_NAME_LENGTH = 200  # characters


class Feed(Stream):
    """The stream of one feed that keeps something. It is made when something is first published."""

    id = models.BigIntegerField(_("id"), primary_key=True, editable=False)  # a hash of the name
    # Not unique, for `id` is, and there are databases to which "log:a" and "log:A" are the same text.
    name = models.CharField(_("name"), max_length=FEED_NAME_LENGTH, editable=False)
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)

    objects: ClassVar[models.Manager[Feed]]

    class Meta:
        verbose_name = _("feed")
        verbose_name_plural = _("feeds")

    def __str__(self) -> str:
        """Name the feed."""
        return self.name


class FeedEvent(models.Model):
    """Something that was published in a feed. Rows are added, never changed, so that a publisher locks nothing.

    Of a feed that keeps the latest value of each key, those that a later one of the same `key` has replaced are
    deleted. `modseq` is the position in the feed; null while the publisher's transaction has not ended.
    """

    feed = models.ForeignKey(
        Feed,
        verbose_name=_("feed"),
        on_delete=models.CASCADE,
        related_name="+",
        db_constraint=False,  # as that of messages: a publisher locks nothing
        db_index=False,  # both indexes begin with it
    )
    modseq = models.BigIntegerField(_("position"), null=True, editable=False)
    event = models.CharField(_("event"), max_length=100, editable=False)
    key = models.CharField(_("key"), max_length=200, blank=True, default="", editable=False)
    data = models.TextField(_("data"), editable=False)  # JSON, as it goes into a frame
    grows = models.BooleanField(_("has a growing text"), default=False, editable=False)
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)

    objects: ClassVar[models.Manager[FeedEvent]]

    class Meta:
        verbose_name = _("event of a feed")
        verbose_name_plural = _("events of feeds")
        indexes: ClassVar[list[models.Index]] = [
            # changes_since() and the sequencer's search for pending rows
            models.Index(fields=["feed", "modseq", "id"], name="carillon_fed"),
            models.Index(
                fields=["feed", "key", "id"], name="carillon_fed_key"
            ),  # the latest of a key, and what it replaced
        ]

    def __str__(self) -> str:
        """Name the event by its number and feed."""
        return f"event {self.pk} of feed {self.feed_id}"


class FeedText(models.Model):
    """The text of an event that grows while somebody writes it, an AI's answer for example.

    Its one writer renews `lease_until`; where that has passed, the writer is gone. It is null once the text is whole.
    """

    class State(models.TextChoices):
        """How far the text is."""

        WRITING = "writing", _("Writing")
        DONE = "done", _("Done")
        STOPPED = "stopped", _("Stopped")
        FAILED = "failed", _("Failed")

    event = models.OneToOneField(
        FeedEvent, verbose_name=_("event of a feed"), on_delete=models.CASCADE, primary_key=True, related_name="growing"
    )
    owner = models.CharField(_("owner"), max_length=64, blank=True, default="", editable=False)  # a user's key, as text
    text = models.TextField(_("text"), blank=True, default="", editable=False)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.WRITING, editable=False)
    error = models.CharField(_("error"), max_length=500, blank=True, default="", editable=False)
    lease_until = models.DateTimeField(_("lease until"), null=True, editable=False, db_index=True)
    stop_requested_at = models.DateTimeField(_("stop requested at"), null=True, editable=False)

    objects: ClassVar[models.Manager[FeedText]]

    class Meta:
        verbose_name = _("growing text of a feed")
        verbose_name_plural = _("growing texts of feeds")

    def __str__(self) -> str:
        """Name the text by its event."""
        return f"text of event {self.event_id}"
