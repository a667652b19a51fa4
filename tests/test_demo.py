"""The demo's data, and that nobody gets it by accident."""

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import override_settings

from notifications.models import Message, Notification, Room
from project.management.commands.demo import Command

pytestmark = pytest.mark.django_db(transaction=True)  # messages get their numbers after commit


@override_settings(DEBUG=True)
def test_it_makes_the_accounts_and_a_believable_inbox_and_repeating_it_changes_nothing() -> None:
    call_command(Command(), verbosity=0)
    before = [model.objects.count() for model in (Notification, Room, Message)]
    call_command(Command(), verbosity=0)
    assert [model.objects.count() for model in (Notification, Room, Message)] == before
    assert {room.kind for room in Room.objects.all()} == {"direct", "group"}
    assert {user.username: user.is_superuser for user in User.objects.all()} == {
        "admin": True,
        "alice": False,
        "bob": False,
    }
    assert all(user.check_password(user.username) for user in User.objects.all())
    for name in ("alice", "bob"):
        own = Notification.objects.of(User.objects.get(username=name))
        assert (own.unread().count(), own.not_archived().count(), own.archived().count()) == (3, 7, 1)


@override_settings(DEBUG=False)
def test_known_passwords_are_refused_on_a_real_site() -> None:
    with pytest.raises(CommandError, match="DEBUG"):
        call_command(Command())
    assert not User.objects.exists()
