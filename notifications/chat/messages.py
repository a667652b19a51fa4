"""Messages: post, edit, delete, hide, react."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError
from django.utils import timezone
from django.utils.translation import gettext as _

from ..annotations import User, UserKey
from ..live import relay
from ..live.commit import sequence_after_commit, sequence_calmly_after_commit
from ..live.django_internals import in_transaction
from ..live.transactions import after_commit, atomic, retried
from ..models import Membership, Message, Reaction, Room
from ..models.chat import MessageQuerySet, Role
from ..twins import twin
from ..validators import is_visible
from .mentions import alert_members, rewrite_alerts
from .rooms import MembershipDoesNotExist, membership, read_alerts
from .stream import ROOM

EMOJI_LIMIT = 20  # different emoji on one message


def _alias(*args: Any, **kwargs: Any) -> str:
    return ROOM.alias


@retried(_alias)
def post_message(
    room: Room | Membership | int,
    body: str,
    *,
    by: User | UserKey,
    client_id: UUID | None = None,
    reply_to: int | None = None,
) -> Message:
    """Post a message in a room.

    Outside a transaction the message is committed, numbered and sent to the room when this returns. Inside
    one it is stored with the caller's work and gets its number after the commit, because a number that is
    taken earlier would hold up everybody else in the room until then: `number` is None in what is returned,
    and a rollback leaves no gap.

    Args:
        room: A room or its primary key.
        body: The text, 1 to 4,000 characters, never HTML. ``@username`` mentions a member.
        by: The author, a member of the room.
        client_id: Makes it idempotent: a second post of the same author with the same id returns the first.
        reply_to: The number of a message in the same room.

    Returns:
        The stored message.

    Raises:
        NotMember: The author is in no such room.
        ValidationError: The body is empty or too long, or `reply_to` is not a message in the room.
    """
    place = membership(room, by)
    message = Message(room=place.room, author=place.user, body=body, client_id=client_id, reply_to=reply_to)
    _validate(message)
    joining = in_transaction(ROOM.alias)
    try:
        with atomic(ROOM.alias):
            if joining:
                _store(message)
                alert_members(message)
                sequence_after_commit(ROOM, [place.room_id])
            else:
                _post(place, message)
    except IntegrityError:
        earlier = None
        if client_id is not None:
            earlier = _messages().filter(room=place.room, author=place.user, client_id=client_id).first()
        if earlier is None:
            raise
        return earlier
    return message


@retried(_alias)
def edit_message(room: Room | Membership | int, number: int, body: str, *, by: User | UserKey) -> None:
    """Edit a message; `by` is its author.

    Raises:
        NotMember: The author is in no such room.
        Message.DoesNotExist: The room has no such message, or it was deleted.
        PermissionDenied: It is another user's, or an event.
        ValidationError: The body is empty or too long.
    """
    place = membership(room, by)
    message = _existing(place, number)
    if message.author_id != place.user_id or message.kind != Message.Kind.TEXT:
        raise PermissionDenied(_("You can only edit your own messages."))
    _validate(Message(room=place.room, body=body))
    with atomic(ROOM.alias):
        rewrite_alerts([message], body=body)
        _touch(message, body=body, edited_at=timezone.now())


@retried(_alias)
def delete_message(room: Room | Membership | int, number: int, *, by: User | UserKey) -> None:
    """Delete a message: one's own is erased, another user's is hidden by a moderator of the room.

    Everyone keeps a tombstone in its place. Deleting twice is harmless.

    Raises:
        NotMember: The user is in no such room.
        Message.DoesNotExist: The room has no such message.
        PermissionDenied: It is another user's and `by` is not a moderator, or it is an event.
    """
    place = membership(room, by)
    message = _existing(place, number, deleted=True)
    if message.deleted_at is not None or message.hidden_at is not None:
        return
    if message.author_id == place.user_id and message.kind == Message.Kind.TEXT:
        now = timezone.now()
        with atomic(ROOM.alias):
            rewrite_alerts([message], body="", recalled_at=now)
            _touch(message, deleted=True, body="", deleted_at=now)
    elif place.role == Role.MODERATOR and message.kind == Message.Kind.TEXT:
        hide_message(message, by=place.user)
    else:
        raise PermissionDenied(_("You can only delete your own messages."))


def hide_message(message: Message, *, by: User) -> None:
    """Hide a message from everyone, live; it stays in the database for those who moderate."""
    hide_messages([message], by=by)


@retried(_alias)
def hide_messages(messages: Sequence[Message], *, by: User) -> None:
    """Hide messages, of any rooms, with a constant number of queries per hundred."""
    now = timezone.now()
    with atomic(ROOM.alias):
        rewrite_alerts(messages, recalled_at=now)
        _touch_all(messages, hidden_at=now, hidden_by=by)


def unhide_message(message: Message) -> None:
    """Show a hidden message again."""
    unhide_messages([message])


@retried(_alias)
def unhide_messages(messages: Sequence[Message]) -> None:
    """Show hidden messages again, as `hide_messages` hides them."""
    with atomic(ROOM.alias):
        rewrite_alerts([message for message in messages if message.deleted_at is None], recalled_at=None)
        _touch_all(messages, hidden_at=None, hidden_by=None)


@retried(_alias)
def toggle_reaction(room: Room | Membership | int, number: int, emoji: str, *, by: User | UserKey) -> bool:
    """Put an emoji on a message, or take it away again.

    Returns:
        Whether it is there now.

    Raises:
        NotMember: The user is in no such room.
        Message.DoesNotExist: The room has no such message, or it was deleted.
        ValidationError: It is not an emoji, or the message has too many different ones.
    """
    place = membership(room, by)
    message = _existing(place, number)
    reaction = Reaction(message=message, user=place.user, emoji=emoji)
    reaction.clean_fields(exclude=["message", "user"])
    rows = Reaction.objects.using(ROOM.alias).filter(message=message)
    with atomic(ROOM.alias):
        # The message's row is changed first: it puts two togglings of one message in order.
        if not _messages().filter(pk=message.pk, deleted_at=None, hidden_at=None).touch_reactions():
            raise Message.DoesNotExist("The message was deleted meanwhile.")
        sequence_calmly_after_commit(ROOM, message.room_id)
        removed, _by_model = rows.filter(user=place.user, emoji=emoji).delete()
        if not removed:
            others = rows.exclude(emoji=emoji).order_by().values("emoji").distinct().count()
            if others >= EMOJI_LIMIT:
                raise ValidationError(
                    {"emoji": _("A message can have at most %(limit)s different reactions.") % {"limit": EMOJI_LIMIT}}
                )
            reaction.save(using=ROOM.alias, force_insert=True)
    return not removed


apost_message = twin(post_message)
aedit_message = twin(edit_message)
adelete_message = twin(delete_message)
ahide_message = twin(hide_message)
aunhide_message = twin(unhide_message)
atoggle_reaction = twin(toggle_reaction)


def _messages() -> MessageQuerySet:
    return Message.objects.using(ROOM.alias)


def _store(message: Message) -> None:
    message.save(using=ROOM.alias, force_insert=True)


def _post(place: Membership, message: Message) -> None:
    """Store a message with its number, under the room's lock, which is held until this short transaction ends."""
    ROOM.number(message)
    _store(message)
    # The author has read everything before their message. They may have been removed while the lock was another's.
    if not Membership.objects.using(ROOM.alias).filter(pk=place.pk).update(last_read=message.number):
        raise MembershipDoesNotExist(_("Room not found."))
    if place.last_read < (message.number or 0) - 1:
        read_alerts(place)
    alert_members(message)
    # The frames are known here, so they go with the hint, and no process has to read them.
    key, batch = ROOM.key(place.room_id), ROOM.said(message)
    after_commit(lambda: relay.announce_batch(key, batch), ROOM.alias)


def _existing(place: Membership, number: int, *, deleted: bool = False) -> Message:
    rows = _messages().filter(room=place.room, number=number)
    return rows.get() if deleted else rows.get(deleted_at=None, hidden_at=None)


def _touch_all(messages: Sequence[Message], **changes: Any) -> None:
    """Change messages, also deleted ones."""
    _messages().filter(pk__in=[message.pk for message in messages]).touch(**changes)
    sequence_after_commit(ROOM, {message.room_id for message in messages})


def _touch(message: Message, *, deleted: bool = False, **changes: Any) -> None:
    """Change a message; unless it may be `deleted`, not one that was since it was read: what is erased stays so."""
    rows = _messages().filter(pk=message.pk)
    with atomic(ROOM.alias):
        if not deleted:
            rows = rows.filter(deleted_at=None, hidden_at=None)
        if not rows.touch(**changes) and not deleted:
            raise Message.DoesNotExist("The message was deleted meanwhile.")
        sequence_after_commit(ROOM, [message.room_id])


def _validate(message: Message) -> None:
    message.clean_fields(exclude=["room", "author", "kind"])
    if not is_visible(message.body):
        raise ValidationError({"body": _("Enter a message.")})
    if message.reply_to is not None and not _messages().filter(room=message.room, number=message.reply_to).exists():
        raise ValidationError({"reply_to": _("Message not found in this room.")})
