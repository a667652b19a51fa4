"""The inbox: the content (a notice), and each recipient's copy and its state (a notification)."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.db import models, router
from django.db.models import OuterRef, Q, Subquery, Value
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .content import Content
from .django_internals import cascade_in_bulk, write_database
from .indexes import GivenUnique, NullsIndex
from .ranks import current_rank
from .stream import Entry, EntryQuerySet, Stream

GROUP_LENGTH = 301  # characters: a kind, a colon and a group
SCHEDULED = -1  # what is folded into it waits for its time
UNPLACED = 0  # what an event is folded into that waits for the sequencer to place it


class Inbox(Stream):
    """The stream of one user's notifications. It is created when the user is first notified or first connects.

    `collected` is the position in the outbox up to which the user has a copy of each broadcast that is meant
    for them. `revoked_at` says when all their connections were ended last: those that are older end wherever they are.
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        verbose_name=_("user"),
        on_delete=cascade_in_bulk,
        primary_key=True,
        related_name="carillon_inbox",
    )
    collected = models.BigIntegerField(_("broadcasts collected"), default=0, editable=False)
    revoked_at = models.DateTimeField(_("access revoked at"), null=True, editable=False)

    objects: ClassVar[models.Manager[Inbox]]

    class Meta:
        verbose_name = _("inbox")
        verbose_name_plural = _("inboxes")

    def __str__(self) -> str:
        """Name the inbox by its user's key and its position."""
        return f"inbox of {self.user_id} at {self.head}"


def _visible(now: Any, notice: str = "") -> Q:
    """Return the condition that a notice has neither expired by `now` nor been recalled."""
    current = Q((f"{notice}expires_at__isnull", True)) | Q((f"{notice}expires_at__gt", now or timezone.now()))
    return current & Q((f"{notice}recalled_at__isnull", True))


class NoticeQuerySet(models.QuerySet["Notice"]):
    """Contents of notifications."""

    def visible(self, now: Any = None) -> NoticeQuerySet:
        """Leave out what expired by `now` (the present) or was recalled."""
        return self.filter(_visible(now))

    def asked(self) -> Subquery:
        """Return the condition that a notification's notice is one of these, which is asked of each row.

        PostgreSQL rather reads all notices than thousands of them by their keys, if they are joined: it does not know
        that it will need so few. A scalar subquery it leaves where it stands.
        """
        one = self.order_by().filter(pk=OuterRef("notice_id")).annotate(asked=Value(value=True))
        return Subquery(one.values("asked"))

    def delete(self) -> tuple[int, dict[str, int]]:
        """Delete the rows with all their copies as Django does; readers of the inboxes begin anew after the commit."""
        with Notification.objects.using(write_database(self)).filter(notice__in=self.order_by()).deletion():
            return super().delete()

    delete.alters_data = True  # type: ignore[attr-defined]
    delete.queryset_only = True  # type: ignore[attr-defined]


class Notice(Content):
    """The content of a notification, stored once however many recipients it has."""

    outcome = models.JSONField(_("outcome"), null=True, blank=True, editable=False)  # of the action that was done
    outcome_by = models.ForeignKey(  # and not by name in `outcome`: that goes with the account
        settings.AUTH_USER_MODEL,
        verbose_name=_("outcome by"),
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        editable=False,
        related_name="+",
    )
    other_actor = models.JSONField(_("actor that is no user"), null=True, blank=True, editable=False)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("actor"),
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,  # `carillon_caused` begins with it
    )
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)
    recalled_at = models.DateTimeField(_("recalled at"), null=True, blank=True, editable=False)
    recalled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("recalled by"),
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        editable=False,
        related_name="+",
    )

    objects = NoticeQuerySet.as_manager()

    class Meta:
        verbose_name = _("notice")
        verbose_name_plural = _("notices")
        indexes: ClassVar[list[models.Index]] = [
            # what is about an instance
            models.Index(fields=["about_model", "about_key"], name="carillon_about"),
            # what somebody has caused, and when
            models.Index(fields=["actor", "created_at"], name="carillon_caused"),
            # what is over, and to be pruned
            NullsIndex(fields=["expires_at"], nulls=[], given=["expires_at"], name="carillon_expiring"),
            NullsIndex(fields=["recalled_at"], nulls=[], given=["recalled_at"], name="carillon_recalled"),
        ]

    def delete(self, using: str | None = None, keep_parents: bool = False) -> tuple[int, dict[str, int]]:
        """Delete the row with all its copies as Django does; readers of the inboxes begin anew after the commit."""
        using = using or router.db_for_write(type(self), instance=self)
        with Notification.objects.using(using).filter(notice=self).deletion():
            return super().delete(using, keep_parents)

    delete.alters_data = True  # type: ignore[attr-defined]


class NotificationQuerySet(EntryQuerySet["Notification"]):
    """Notifications by what they are to their recipient."""

    stream_field = "recipient_id"

    def of(self, user: Any) -> NotificationQuerySet:
        """Keep those of `user`, a user or a user's primary key."""
        return self.filter(recipient_id=getattr(user, "pk", user))

    def visible(self, now: Any = None) -> NotificationQuerySet:
        """Leave out what expired by `now` (the present) or was recalled."""
        return self.filter(_visible(now, "notice__"))

    def items(self) -> NotificationQuerySet:
        """Leave out what is no item of its own: events that have joined one, and what waits for its place or time."""
        return self.filter(folded_into__isnull=True)

    def kept(self) -> NotificationQuerySet:
        """Keep the items that are in the inbox, and those that come back to it."""
        return self.items().filter(Q(archived_at__isnull=True) | Q(snoozed_until__isnull=False))

    def not_archived(self) -> NotificationQuerySet:
        """Keep what is not archived."""
        return self.filter(archived_at__isnull=True)

    def archived(self) -> NotificationQuerySet:
        """Keep what is archived, for good."""
        return self.items().filter(archived_at__isnull=False, snoozed_until__isnull=True)

    def snoozed(self) -> NotificationQuerySet:
        """Keep what is out of the inbox until a time."""
        return self.items().filter(snoozed_until__isnull=False)

    def unread(self) -> NotificationQuerySet:
        """Keep what is not archived and not read."""
        return self.not_archived().filter(read_at__isnull=True)

    def unseen(self) -> NotificationQuerySet:
        """Keep what is unread and unseen; read implies seen."""
        return self.unread().filter(seen_at__isnull=True)

    def ranked(self) -> NotificationQuerySet:
        """Put them in the order of every list, the first one on top."""
        return self.order_by("-rank", "-pk")

    def with_content(self) -> NotificationQuerySet:
        """Fetch the notice and its actor in the same query."""
        return self.select_related("notice__actor")

    def touch(self, **changes: Any) -> int:
        """Apply `changes` and mark the rows as waiting for a new position; return how many there were."""
        return self.update(**changes, modseq=None)


class Notification(Entry):
    """One recipient's copy of a notice.

    `modseq` is the position of the row's latest change in its recipient's inbox; null while a change waits
    for its position. `arrival` is the first one it got: "everything up to here" is counted in arrivals,
    because reading a notification moves its `modseq` but not its arrival. Lists are ordered by `rank`.

    An item with a `group` grows while it is unread: it shows the latest event, and each earlier one is a row that is
    `folded_into` it. Such a row, and one that still waits to be placed, is archived, so that whoever lists or counts
    need not know of it. `actor_key` goes with the notice, `growth` with the item.
    """

    recipient = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("recipient"),
        on_delete=cascade_in_bulk,
        related_name="+",
        db_index=False,  # `carillon_changes` begins with it
    )
    notice = models.ForeignKey(
        Notice,
        verbose_name=_("notice"),
        on_delete=cascade_in_bulk,
        related_name="+",
        db_index=False,  # `carillon_one_copy` begins with it
    )
    dedupe_key = models.CharField(  # noqa: DJ001  # nulls are distinct, so that only real keys are unique
        _("dedupe key"), max_length=200, null=True, blank=True, editable=False
    )
    modseq = models.BigIntegerField(_("position"), null=True, editable=False)
    arrival = models.BigIntegerField(_("arrival"), null=True, editable=False)
    rank = models.BigIntegerField(_("rank"), default=current_rank, editable=False)
    group = models.CharField(_("group"), max_length=GROUP_LENGTH, null=True, blank=True, editable=False)  # noqa: DJ001
    actor_key = models.CharField(_("actor"), max_length=GROUP_LENGTH, null=True, blank=True, editable=False)  # noqa: DJ001
    folded_into = models.BigIntegerField(_("folded into"), null=True, editable=False)  # an item's key, or `UNPLACED`
    growth = models.JSONField(_("growth"), null=True, editable=False)
    seen_at = models.DateTimeField(_("seen at"), null=True, blank=True)
    read_at = models.DateTimeField(_("read at"), null=True, blank=True)
    delivered_at = models.DateTimeField(_("delivered at"), null=True, blank=True, editable=False)  # of a broadcast
    clicked_at = models.DateTimeField(_("clicked at"), null=True, blank=True)
    archived_at = models.DateTimeField(_("archived at"), null=True, blank=True)
    snoozed_until = models.DateTimeField(_("snoozed until"), null=True, blank=True)  # archived, or not sent, until then
    previous_snooze = models.DateTimeField(  # that the latest archiving or snooze has ended, for whoever reverts it
        _("snoozed until before"), null=True, blank=True, editable=False
    )
    muted = models.BooleanField(_("muted"), default=False, editable=False)  # archived by a preference, not by hand
    toast = models.BooleanField(_("shown as a toast"), default=True, editable=False)

    objects = NotificationQuerySet.as_manager()

    class Meta:
        verbose_name = _("notification")
        verbose_name_plural = _("notifications")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            # also what finds the copies of a notice, step by step
            models.UniqueConstraint(fields=["notice", "recipient"], name="carillon_one_copy"),
            GivenUnique(fields=["recipient", "dedupe_key"], name="carillon_one_send"),
        ]
        indexes: ClassVar[list[models.Index]] = [
            # changes_since() and the sequencer's search for pending rows
            models.Index(fields=["recipient", "modseq", "id"], name="carillon_changes"),
            # what has been archived long enough
            NullsIndex(fields=["archived_at"], nulls=["folded_into"], given=["archived_at"], name="carillon_archived"),
            # the page "all"
            NullsIndex(fields=["recipient", "-rank", "-id"], nulls=["archived_at"], name="carillon_present"),
            # the page "archived"
            NullsIndex(
                fields=["recipient", "-rank", "-id"],
                nulls=["folded_into", "snoozed_until"],
                given=["archived_at"],
                name="carillon_put_away",
            ),
            # the page "unread" and its count
            NullsIndex(fields=["recipient", "-rank", "-id"], nulls=["archived_at", "read_at"], name="carillon_unread"),
            # the number on the bell
            NullsIndex(
                fields=["recipient", "-rank", "-id"],
                nulls=["archived_at", "read_at", "seen_at"],
                name="carillon_unseen",
            ),
            # the item that an event of its group may join
            NullsIndex(
                fields=["recipient", "group"],
                nulls=["read_at", "folded_into"],
                given=["group"],
                name="carillon_growing",
            ),
            # what falls due
            NullsIndex(fields=["snoozed_until"], nulls=[], given=["snoozed_until"], name="carillon_asleep"),
            # the events of an item, and whether an actor has caused one of them
            NullsIndex(fields=["folded_into", "actor_key"], nulls=[], given=["folded_into"], name="carillon_folded"),
        ]

    def __str__(self) -> str:
        """Name the copy by its key and recipient."""
        return f"notification {self.pk} of {self.recipient_id}"
