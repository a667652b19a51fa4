"""A stream that lost commits gets a new epoch, so that no reader misses what got a position which it has seen."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from notifications.chat.stream import ROOM
from notifications.inbox.stream import INBOX
from notifications.live.cursor import Position
from notifications.live.epochs import renew_set_back
from notifications.live.replay import catch_up
from notifications.models import Inbox, Notification, Room
from notifications.services import create_room
from tests.factories import make_user, make_users, tell

pytestmark = pytest.mark.django_db(transaction=True)


def position(user: Any) -> Position:
    inbox = Inbox.objects.get(user=user)
    return Position(inbox.epoch, inbox.head)


def lose_the_last(user: Any, number: int) -> None:
    """Do to an inbox what a standby does that takes over without the last commits."""
    inbox = Inbox.objects.get(user=user)
    head = inbox.head - number
    Notification.objects.of(user).filter(modseq__gt=head).delete()
    Inbox.objects.filter(user=user).update(head=head, floor=inbox.floor)  # which the deletion has moved


def test_a_stream_that_was_set_back_gets_a_new_epoch_and_no_reader_misses_what_comes_then() -> None:
    alice = make_user()
    tell(alice, "1", "2", "3")
    seen = position(alice)
    lose_the_last(alice, 2)
    assert renew_set_back(INBOX, {alice.pk: seen}) == [alice.pk]
    tell(alice, "other 2", "other 3", "4")
    batch = catch_up(INBOX, alice.pk, seen)  # of a reader that was away meanwhile
    assert b'"reason":"epoch"' in batch.frames[0].data
    assert b"other 2" in batch.frames[0].data


def test_only_the_first_who_notices_renews() -> None:
    alice = make_user()
    tell(alice, "1", "2")
    seen = position(alice)
    lose_the_last(alice, 1)
    assert renew_set_back(INBOX, {alice.pk: seen}) == [alice.pk]
    renewed = position(alice)
    assert renew_set_back(INBOX, {alice.pk: seen}) == []
    assert position(alice) == renewed


def test_a_stream_that_moved_on_keeps_its_epoch() -> None:
    alice = make_user()
    tell(alice, "1")
    seen = position(alice)
    assert renew_set_back(INBOX, {alice.pk: seen}) == []
    tell(alice, "2")
    assert renew_set_back(INBOX, {alice.pk: seen, 10**6: seen}) == []
    assert position(alice) == Position(seen.epoch, seen.modseq + 1)


def test_the_command_renews_all_streams_or_those_of_some_types() -> None:
    for user in make_users(3):
        tell(user, "1")
    room = create_room("Room", by=make_user())

    def epochs() -> tuple[set[str], str]:
        return set(Inbox.objects.values_list("epoch", flat=True)), Room.objects.get(pk=room.pk).epoch

    inboxes, of_room = epochs()
    told = StringIO()
    call_command("carillon_renew_epochs", "--type=inbox", stdout=told)
    assert told.getvalue() == "Streams of the type inbox with a new epoch: 3\n"
    renewed, still = epochs()
    assert not renewed & inboxes
    assert still == of_room
    call_command("carillon_renew_epochs", stdout=StringIO())
    again, now = epochs()
    assert not again & renewed
    assert now != of_room
    assert catch_up(ROOM, room.pk, Position(of_room, 0)).start is None
