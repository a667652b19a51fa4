"""Rooms and their members. Joining and leaving are messages in the room, in its order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from ..annotations import Recipients, User, UserKey
from ..exceptions import NotMember
from ..inbox.recipients import recipient_chunks
from ..inbox.states import mark_read
from ..live import relay
from ..live.commit import sequence_after_commit
from ..live.django_internals import in_transaction
from ..live.frames import frame
from ..live.once import get_or_insert
from ..live.streams import Hint
from ..live.transactions import after_commit, atomic, retried, retry
from ..models import Membership, Message, Room
from ..models.chat import Role
from ..twins import twin
from ..validators import is_visible
from . import frames, receipts
from .members import MEMBERSHIP, count_members, is_large, room_infos
from .mentions import alerts
from .roster import Welcome
from .stream import ROOM


def _alias(*args: Any, **kwargs: Any) -> str:
    return ROOM.alias


class MembershipDoesNotExist(NotMember, ObjectDoesNotExist):
    """`NotMember` as it is raised, for those too who catch Django's own; `exceptions` loads without Django."""


def membership(room: Room | Membership | int, user: User | UserKey) -> Membership:
    """Return the place of `user` in `room`, with both, with one query.

    Args:
        room: A room or its primary key; or the place itself, which the caller has just read.
        user: A user or a user's primary key.

    Raises:
        NotMember: The user is in no such room.
    """
    if isinstance(room, Membership):
        return room
    found = Membership.objects.using(ROOM.alias).select_related("room", "user")
    try:
        return found.get(room=getattr(room, "pk", room), user=getattr(user, "pk", user))
    except Membership.DoesNotExist:
        raise MembershipDoesNotExist(_("Room not found.")) from None


@retried(_alias)
def open_direct_room(user: User, other: User) -> Room:
    """Return the direct room of two users, making it the first time.

    Two people have one such room, also when both open it at the same moment.

    Raises:
        ValueError: Both are the same user, or one has not been saved yet.
    """
    pks = [_pk(user), _pk(other)]
    if pks[0] == pks[1]:
        raise ValueError("A direct room needs two different users.")
    pair = ":".join(sorted(map(str, pks)))
    with atomic(ROOM.alias):
        room, created = get_or_insert(Room(pair=pair, kind=Room.Kind.DIRECT), ROOM.alias, pair=pair)
        if created:
            _join(room, pks, Role.MEMBER)
            count_members(Room.objects.using(ROOM.alias).filter(pk=room.pk))
    return room


def create_room(name: str, *, by: User, members: Recipients = ()) -> Room:
    """Make a group room.

    Args:
        name: At most 200 characters.
        by: Who makes it: the first member, as a moderator.
        members: More users: an iterable or queryset of users, or a group.

    Raises:
        ValidationError: The name is empty or too long; the field is named.
    """
    name = _name(name)

    def make() -> Room:
        room = Room(name=name)
        with atomic(ROOM.alias):
            room.save(using=ROOM.alias, force_insert=True)
            _join(room, [_pk(by)], Role.MODERATOR)
            for pks in recipient_chunks(members):
                _join(room, [pk for pk in pks if pk != by.pk], Role.MEMBER)
            count_members(Room.objects.using(ROOM.alias).filter(pk=room.pk))
        return room

    return make() if isinstance(members, Iterator) else retry(make, ROOM.alias)  # an iterator can be read only once


@retried(_alias)
def rename_room(room: Room, name: str, *, by: User | None = None) -> None:
    """Give a group room another name; `by` is who did it, for the history.

    Raises:
        ValidationError: The name is empty or too long, or the room is a direct one.
    """
    _refuse_direct(room)
    name = _name(name)
    with _telling(room) as tell:
        Room.objects.using(ROOM.alias).filter(pk=room.pk).update(name=name)
        tell(kind=Message.Kind.RENAMED, author=by, body=name)
    room.name = name


@retried(_alias)
def add_member(room: Room, user: User, *, role: str = Role.MEMBER, by: User | None = None) -> Membership:
    """Add a user to a group room. An existing member keeps their place.

    Several calls at the same moment let them in once, and the room is told once.

    Args:
        room: A group room.
        user: Who comes in; they can read all that was said before.
        role: ``"member"`` or ``"moderator"``.
        by: Who did it, for the history.

    Returns:
        The user's place in the room.

    Raises:
        ValidationError: The room is a direct one, or the role is unknown.
    """
    _refuse_direct(room)
    role = _role(role)
    pk = _pk(user)
    with _telling(room) as tell:
        place = Membership(room=room, user_id=pk, role=role, last_read=room.last_number)
        place, joined = get_or_insert(place, ROOM.alias, room=room, user=pk)
        if joined:
            _welcome_after_commit(room, [pk])
            tell(kind=Message.Kind.JOINED, author=by, subject=user)
    return place


@retried(_alias)
def remove_member(room: Room, user: User, *, by: User | None = None) -> bool:
    """Put a user out of a group room, or let them leave it.

    They are sent nothing that comes after it, in no process.

    Returns:
        Whether they were in it.

    Raises:
        ValidationError: The room is a direct one: it can be muted, not left.
    """
    _refuse_direct(room)
    with _telling(room) as tell:
        removed, _by_model = Membership.objects.using(ROOM.alias).filter(room=room, user=user.pk).delete()
        if removed:
            tell(kind=Message.Kind.LEFT, author=by, subject=user)
    return bool(removed)


@retried(_alias)
def set_role(room: Room, user: User, role: str, *, by: User | None = None) -> None:
    """Make a member a moderator, or a moderator a member.

    Raises:
        NotMember: The user is not in the room.
        ValidationError: The role is unknown.
    """
    role = _role(role)
    with _telling(room) as tell:
        place = Membership.objects.using(ROOM.alias).filter(pk=membership(room, user).pk)
        if place.exclude(role=role).update(role=role):
            tell(kind=Message.Kind.ROLE, author=by, subject=user, body=role)


@retried(_alias)
def mute_room(room: Room | Membership | int, *, by: User | UserKey, muted: bool = True) -> None:
    """Stop, or allow again, notifications of a room for one of its members.

    Raises:
        NotMember: The user is not in the room.
    """
    place = membership(room, by)
    with transaction.atomic(using=ROOM.alias):  # a lock's timeout belongs to a transaction
        Membership.objects.using(ROOM.alias).filter(pk=place.pk).update(muted=muted)


@retried(_alias)
def mark_room_read(room: Room | Membership | int, *, by: User | UserKey, up_to: int | None = None) -> int:
    """Note that a member has read a room up to a message; the other members see it.

    It never decreases. The notification about unread messages is marked as read too.

    Args:
        room: A room or its primary key.
        by: The member.
        up_to: The number of a message; None means the latest.

    Returns:
        The number up to which the member has read.

    Raises:
        NotMember: The user is not in the room.
    """
    place = membership(room, by)
    last = place.room.last_number
    up_to = last if up_to is None else max(0, min(up_to, last))
    rows = Membership.objects.using(ROOM.alias).filter(pk=place.pk, last_read__lt=up_to)
    with atomic(ROOM.alias):
        if not rows.update(last_read=up_to):
            return max(up_to, place.last_read)
        read_alerts(place)
        after_commit(lambda: _show_receipt(place, up_to), ROOM.alias)
    return up_to


def read_alerts(place: Membership) -> None:
    """Mark the notification about a member's unread messages as read."""
    mark_read(place.user, alerts(place.room_id).of(place.user).values_list("pk", flat=True))


aopen_direct_room = twin(open_direct_room)
acreate_room = twin(create_room)
arename_room = twin(rename_room)
aadd_member = twin(add_member)
aremove_member = twin(remove_member)
aset_role = twin(set_role)
amute_room = twin(mute_room)
amark_room_read = twin(mark_room_read)


def _join(room: Room, pks: Iterable[Any], role: str) -> None:
    """Store memberships in a room that was created in this transaction, for those who have none."""
    rows = Membership.objects.using(ROOM.alias)
    here = set(rows.filter(room=room, user__in=pks).values_list("user_id", flat=True))
    new = [pk for pk in pks if pk not in here]
    rows.bulk_create(Membership(room=room, user_id=pk, role=role, last_read=room.last_number) for pk in new)
    _welcome_after_commit(room, new)


def _welcome_after_commit(room: Room, pks: Iterable[Any]) -> None:
    after_commit(lambda: _welcome(room, pks), ROOM.alias)


def _welcome(room: Room, pks: Iterable[Any]) -> None:
    """Notify those who joined, on every socket they have."""
    infos = room_infos([room.pk], ROOM.alias)
    if room.pk in infos:
        told = frame(frames.RoomFrame(room.pk, "added", infos[room.pk]))
        relay.post(Welcome(room.pk, [str(pk) for pk in pks], (told.name, told.data.decode())))


def _show_receipt(place: Membership, up_to: int) -> None:
    """Send the room up to where a member has read, unless the room is too large."""
    if not is_large(place.room):
        receipts.show(place.room_id, place.user_id, up_to)


@contextmanager
def _telling(room: Room) -> Iterator[Callable[..., None]]:
    """Open a transaction, and yield the function that announces an event in the room's order.

    Outside a transaction of the caller, the event gets its position in the same commit as the change, so that
    no message after a removal can precede it. Inside one, it gets it after the commit.
    """
    joining = in_transaction(ROOM.alias)

    def tell(**fields: Any) -> None:
        event = Message(room=room, **fields)
        if joining:
            event.save(using=ROOM.alias, force_insert=True)
            sequence_after_commit(ROOM, [room.pk])
            return
        ROOM.number(event)
        event.save(using=ROOM.alias, force_insert=True)
        if event.kind in MEMBERSHIP:
            count_members(ROOM.streams().filter(pk=room.pk))
        hint = Hint(ROOM.key(room.pk), event.modseq or 0)
        after_commit(lambda: relay.announce([hint]), ROOM.alias)

    with atomic(ROOM.alias):
        yield tell


def _pk(user: User) -> Any:
    if getattr(user, "pk", None) is None:
        raise ValueError("The member has not been saved yet: call save() on the user first.")
    return user.pk


def _name(name: str) -> str:
    room = Room(name=name)
    room.clean_fields(exclude=["kind"])
    if not is_visible(name):
        raise ValidationError({"name": _("A room needs a name.")})
    return name


def _role(role: str) -> str:
    if role not in Role.values:
        raise ValidationError({"role": _("Role must be one of %(roles)s.") % {"roles": ", ".join(Role.values)}})
    return role


def _refuse_direct(room: Room) -> None:
    if room.kind == Room.Kind.DIRECT:
        raise ValidationError(
            {"room": _("A direct room always has two members and no name. Create a group room instead.")}
        )
