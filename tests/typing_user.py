"""What mypy says to those who use the API: this file is checked with the rest, and run by nobody.

Each `type: ignore` marks a mistake that mypy must find: one that it no longer finds is an unused comment, and an error.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import assert_type

from django.contrib.auth.models import Group, User
from django.http import HttpRequest
from django.utils import timezone

from notifications.annotations import LevelName, Recipients
from notifications.audiences import Audience, audience
from notifications.exceptions import BroadcastConflict, CarillonError, NotMember
from notifications.inbox.bulk import Changed
from notifications.models import Broadcast, Membership, Message, Notice, Room
from notifications.services import (
    abroadcast,
    add_member,
    anotify,
    broadcast,
    create_room,
    edit_broadcast,
    mark_all_read,
    mark_read,
    notify,
    open_direct_room,
    post_message,
    recall_broadcast,
)


def whom(user: User, group: Group) -> None:
    assert_type(notify(user, "Hello"), Notice)
    notify([user], "Hello")
    notify((one for one in [user]), "Hello")
    notify(User.objects.filter(is_staff=True), "Hello")
    notify(group, "Hello")
    everybody: Recipients = User.objects.all()
    notify(everybody, "Hello", actor=user, data={"order": 4}, expires_at=timezone.now() + timedelta(days=1))
    notify("alice", "Hello")  # type: ignore[arg-type]
    notify(7, "Hello")  # type: ignore[arg-type]
    notify(Group.objects.all(), "Hello")  # type: ignore[arg-type]
    notify(user, "Hello", "body")  # type: ignore[call-arg]
    notify(user, "Hello", actor="alice")  # type: ignore[arg-type]


def how(user: User, level: LevelName) -> None:
    notify(user, "Hello", level="warning")
    notify(user, "Hello", level=level)
    notify(user, "Hello", level="loud")  # type: ignore[arg-type]


def in_a_view(request: HttpRequest) -> None:
    mark_all_read(request.user)  # type: ignore[arg-type]
    if request.user.is_authenticated:
        assert_type(mark_all_read(request.user), Changed)
        mark_read(request.user, [1, 2])
        mark_read(request.user, ["1"])  # type: ignore[list-item]


@audience("Premium customers")
def premium(users):
    return users.filter(is_staff=True)


def broadcasting(user: User, group: Group) -> None:
    sent = broadcast("Maintenance", to="everyone", level="warning", by=user)
    assert_type(sent, Broadcast)
    broadcast("Maintenance", to=Audience.of("premium", groups=[group], exclude=Audience.of(users=[user])))
    broadcast("Maintenance", to=group, publish_at=timezone.now())
    broadcast("Maintenance", to=[user])
    broadcast("Maintenance")  # type: ignore[call-arg]
    broadcast("Maintenance", to=4)  # type: ignore[arg-type]
    try:
        edit_broadcast(sent, title="Maintenance at ten", by=user)
        edit_broadcast(sent, titel="Maintenance at ten")  # type: ignore[call-arg]
    except BroadcastConflict as conflict:
        assert_type(conflict.state, str | None)
    except CarillonError:
        recall_broadcast(sent, by=user)


def chat(alice: User, bob: User) -> None:
    room = create_room("Project", by=alice, members=User.objects.all())
    assert_type(room, Room)
    assert_type(open_direct_room(alice, bob), Room)
    assert_type(add_member(room, bob, by=alice), Membership)
    try:
        assert_type(post_message(room, "Hello", by=alice), Message)
        post_message(room.pk, "Hello", by=alice.pk)
        post_message("Project", "Hello", by=alice)  # type: ignore[arg-type]
    except NotMember:
        pass


async def twins(user: User) -> None:
    assert_type(await anotify(user, "Hello"), Notice)
    assert_type(asyncio.create_task(anotify(user, "Hello")), asyncio.Task[Notice])
    assert_type(await abroadcast("Hello", to="everyone"), Broadcast)
    await anotify("alice", "Hello")  # type: ignore[arg-type]
