"""Chat: rooms, memberships, messages, reactions and presence."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.core.validators import MaxLengthValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from ..validators import BODY_LENGTH, TITLE_LENGTH, validate_emoji, validate_line, validate_text, validate_visible
from .django_internals import cascade_in_bulk
from .stream import Entry, EntryQuerySet, Stream

EMOJI_LENGTH = 32  # characters; families and flags are long sequences


class Room(Stream):
    """A conversation, and the stream of its messages.

    `last_number` is the number of the latest message; numbers are assigned without gaps under the room's lock.
    `size` is how many members there were when somebody last came or went.
    `pair` names the two users of a direct room, so that two people have one such room, however they open it.
    """

    class Kind(models.TextChoices):
        """Who can be in a room."""

        DIRECT = "direct", _("Direct")
        GROUP = "group", _("Group")

    kind = models.CharField(_("kind"), max_length=10, choices=Kind, default=Kind.GROUP, editable=False)
    name = models.CharField(
        _("name"), max_length=TITLE_LENGTH, blank=True, default="", validators=[validate_line, validate_visible]
    )
    pair = models.CharField(  # nulls are distinct, so that only direct rooms are unique
        _("pair"), max_length=100, null=True, blank=True, unique=True, editable=False
    )
    last_number = models.BigIntegerField(_("last number"), default=0, editable=False)
    size = models.PositiveIntegerField(_("members"), default=0, editable=False)
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)
    active_at = models.DateTimeField(_("active at"), default=timezone.now, editable=False)

    objects: ClassVar[models.Manager[Room]]

    class Meta:
        verbose_name = _("room")
        verbose_name_plural = _("rooms")
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["active_at"], name="carillon_active")
        ]  # the admin's order

    def __str__(self) -> str:
        """Return the name, or the label that a query has given the room, or that it is a direct room."""
        return self.name or getattr(self, "label", "") or f"{self.kind} room {self.pk}"


class Role(models.TextChoices):
    """What a member may do beyond talking."""

    MEMBER = "member", _("Member")
    MODERATOR = "moderator", _("Moderator")


class Membership(models.Model):
    """One user's place in a room.

    `last_read` is a position, not a list of what was read: everything up to that number.
    """

    room = models.ForeignKey(
        Room,
        verbose_name=_("room"),
        on_delete=models.CASCADE,
        related_name="memberships",
        db_constraint=False,  # as that of messages
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("user"), on_delete=cascade_in_bulk, related_name="+"
    )
    role = models.CharField(_("role"), max_length=10, choices=Role, default=Role.MEMBER)
    last_read = models.BigIntegerField(_("last read"), default=0)
    muted = models.BooleanField(_("muted"), default=False)
    joined_at = models.DateTimeField(_("joined at"), default=timezone.now, editable=False)

    objects: ClassVar[models.Manager[Membership]]

    class Meta:
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["room", "user"], name="carillon_one_membership"),
        ]

    def __str__(self) -> str:
        """Name the user and the room by their keys."""
        return f"user {self.user_id} in room {self.room_id}"


def reactions_in_order() -> models.Prefetch[Any]:
    """Return what fetches the reactions of messages, in the order in which they were given."""
    return models.Prefetch("reactions", Reaction.objects.order_by("pk"))


class MessageQuerySet(EntryQuerySet["Message"]):
    """Messages of rooms."""

    stream_field = "room_id"

    def numbered(self) -> MessageQuerySet:
        """Leave out what waits for the end of its writer's transaction."""
        return self.filter(number__isnull=False)

    def with_people(self) -> MessageQuerySet:
        """Fetch author and subject in the same query, and the reactions in one more."""
        return self.select_related("author", "subject").prefetch_related(reactions_in_order())

    def touch(self, **changes: Any) -> int:
        """Apply `changes` and mark the rows as waiting for a new position; return how many there were."""
        return self.update(**changes, modseq=None, content_modseq=None)

    def touch_reactions(self) -> int:
        """Mark the rows as waiting for a new position, because of their reactions alone; return how many there were."""
        return self.update(modseq=None)


class Message(Entry):
    """A message in a room, or an event that happened to it.

    `number` orders the messages of a room and never changes; `modseq` is the position of the latest change, and
    `content_modseq` that of the latest one beyond reactions. All are null while the message waits for the end of
    the transaction in which it was written.
    """

    class Kind(models.TextChoices):
        """Written by a user, or an event of the room."""

        TEXT = "text", _("Text")
        JOINED = "joined", _("Joined")
        LEFT = "left", _("Left")
        RENAMED = "renamed", _("Renamed")
        ROLE = "role", _("Role changed")

    room = models.ForeignKey(
        Room,
        verbose_name=_("room"),
        on_delete=models.CASCADE,
        related_name="messages",
        db_constraint=False,  # InnoDB would lock the room, which the sequencer moves, for as long as the writer takes
        db_index=False,  # `carillon_one_number` begins with it
    )
    number = models.BigIntegerField(_("number"), null=True, editable=False)
    modseq = models.BigIntegerField(_("position"), null=True, editable=False)
    content_modseq = models.BigIntegerField(_("position"), null=True, editable=False)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind, default=Kind.TEXT, editable=False)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("author"),
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
    )
    subject = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("subject"),
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
    )
    client_id = models.UUIDField(_("client id"), null=True, blank=True, editable=False)
    body = models.TextField(
        _("body"), blank=True, default="", validators=[MaxLengthValidator(BODY_LENGTH), validate_text]
    )
    reply_to = models.BigIntegerField(_("reply to"), null=True, blank=True)  # a number in the same room
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)
    edited_at = models.DateTimeField(_("edited at"), null=True, blank=True, editable=False)
    deleted_at = models.DateTimeField(_("deleted at"), null=True, blank=True, editable=False)
    hidden_at = models.DateTimeField(_("hidden at"), null=True, blank=True, editable=False)
    hidden_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("hidden by"),
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        editable=False,
        related_name="+",
    )

    objects = MessageQuerySet.as_manager()

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["room", "number"], name="carillon_one_number"),  # and the history
            models.UniqueConstraint(fields=["room", "author", "client_id"], name="carillon_one_post"),
        ]
        indexes: ClassVar[list[models.Index]] = [
            # changes_since() and the sequencer's search for pending rows
            models.Index(fields=["room", "modseq", "id"], name="carillon_said"),
            models.Index(
                fields=["created_at", "id"], name="carillon_written"
            ),  # what is to be pruned, and the admin's filter
        ]

    def __str__(self) -> str:
        """Name the message by its number and room."""
        return f"message {self.number} in room {self.room_id}"


class Reaction(models.Model):
    """One emoji of one user on one message."""

    message = models.ForeignKey(
        Message,
        verbose_name=_("message"),
        on_delete=models.CASCADE,
        related_name="reactions",
        db_index=False,  # the constraint begins with it
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("user"), on_delete=cascade_in_bulk, related_name="+"
    )
    emoji = models.CharField(_("emoji"), max_length=EMOJI_LENGTH, validators=[validate_emoji])

    objects: ClassVar[models.Manager[Reaction]]

    class Meta:
        verbose_name = _("reaction")
        verbose_name_plural = _("reactions")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["message", "user", "emoji"], name="carillon_one_reaction"),
        ]

    def __str__(self) -> str:
        """Show the emoji and whose it is."""
        return f"{self.emoji} of {self.user_id}"


class Lease(models.Model):
    """A server process's lease: the users connected to it are present until it expires.

    One lease per process, not per connection: a process that is killed stops renewing it, and everyone who
    was present through it is gone together.
    """

    process = models.CharField(_("process"), max_length=16, primary_key=True)
    until = models.DateTimeField(_("until"), db_index=True)

    objects: ClassVar[models.Manager[Lease]]

    class Meta:
        verbose_name = _("lease")
        verbose_name_plural = _("leases")

    def __str__(self) -> str:
        """Show the process and the end of its lease."""
        return f"{self.process} until {self.until}"


class Presence(models.Model):
    """A user who has a chat socket in a process."""

    lease = models.ForeignKey(Lease, verbose_name=_("lease"), on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("user"),
        on_delete=cascade_in_bulk,
        related_name="+",
        db_constraint=False,  # a user may be deleted while a server writes that they are here
    )

    objects: ClassVar[models.Manager[Presence]]

    class Meta:
        verbose_name = _("presence")
        verbose_name_plural = _("presences")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["lease", "user"], name="carillon_one_presence"),
        ]

    def __str__(self) -> str:
        """Name the user and the process."""
        return f"user {self.user_id} in {self.lease_id}"
