"""`broadcast` makes and sends a broadcast in one call, and the admin's history says who did what."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AnonymousUser, Group
from django.core.exceptions import ValidationError
from django.utils import timezone, translation

from notifications.audiences import Audience
from notifications.inbox import reading
from notifications.models import Broadcast
from notifications.services import (
    abroadcast,
    broadcast,
    edit_broadcast,
    publish_broadcast,
    recall_broadcast,
)
from tests.factories import make_user

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def alice() -> Any:
    return make_user("alice")


@pytest.fixture
def bob() -> Any:
    return make_user("bob", is_staff=True)


@pytest.fixture
def editors(alice: Any) -> Group:
    group = Group.objects.create(name="Editors")
    alice.groups.add(group)
    return group


def titles(user: Any) -> list[str]:
    return [item.title for item in reading.page(user).items]


def test_it_reads_like_notify_and_sends_at_once(alice: Any) -> None:
    sent = broadcast("Maintenance", to="everyone", body="At ten.", url="/status/", level="warning", category="ops")
    assert Broadcast.objects.get() == sent
    (item,) = reading.page(alice).items
    shown = (item.title, item.body, item.url, item.level, item.category)
    assert shown == ("Maintenance", "At ten.", "/status/", "warning", "ops")


def test_whom_it_may_tell(alice: Any, bob: Any, editors: Group) -> None:
    everybody_but_bob = Audience.of("everyone", exclude=Audience.of(users=[bob]))
    for to in ["everyone", editors, alice, [alice], iter([alice]), everybody_but_bob]:
        broadcast("For alice", to=to)
    assert titles(alice) == ["For alice"] * 6
    assert titles(bob) == ["For alice"]


def test_a_queryset_is_refused_with_what_to_do_instead(alice: Any) -> None:
    with pytest.raises(TypeError, match=r"cannot be stored.*@audience.*notify"):
        broadcast("Hello", to=get_user_model()._default_manager.all())
    assert not Broadcast.objects.exists()


@pytest.mark.parametrize(
    "to", [None, 4, b"everyone", {"include": {}}, pytest.param(AnonymousUser(), id="nobody"), [None]], ids=repr
)
def test_anything_else_is_refused_and_nothing_is_written(to: Any) -> None:
    with pytest.raises(TypeError):
        broadcast("Hello", to=to)
    assert not Broadcast.objects.exists()


def test_a_user_that_was_not_saved_is_refused() -> None:
    with pytest.raises(ValueError, match="not been saved"):
        broadcast("Hello", to=get_user_model()())


@pytest.mark.parametrize(("to", "message"), [("premium", "premium"), ([], "at least one"), ("", "")], ids=repr)
def test_an_audience_of_nobody_is_named(to: Any, message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        broadcast("Hello", to=to)
    assert message in " ".join(caught.value.message_dict["audience"])
    assert not Broadcast.objects.exists()


def test_one_for_later_is_scheduled(alice: Any) -> None:
    later = timezone.now() + timedelta(hours=1)
    assert broadcast("Hello", to="everyone", publish_at=later).state == "scheduled"
    assert titles(alice) == []


def test_the_twin_sends_the_same() -> None:
    sent = async_to_sync(abroadcast)("Hello", to="everyone")
    assert Broadcast.objects.get() == sent


def history(broadcast: Broadcast) -> list[tuple[str, str]]:
    rows = LogEntry.objects.filter(object_id=str(broadcast.pk)).order_by("pk")
    return [(entry.user.get_username(), entry.get_change_message()) for entry in rows]


def test_the_history_says_who_did_what(alice: Any, bob: Any) -> None:
    sent = broadcast("Hello", to="everyone", by=alice)
    assert sent.author == alice
    edit_broadcast(sent, by=bob, title="Hello again")
    recall_broadcast(sent, by=alice)
    planned = broadcast("Later", to="everyone", by=bob, publish_at=timezone.now() + timedelta(hours=1))
    recall_broadcast(planned, by=bob)
    assert history(sent) == [("alice", "Sent."), ("bob", "Changed title."), ("alice", "Recalled.")]
    assert history(planned) == [("bob", "Scheduled."), ("bob", "Schedule cancelled.")]
    with translation.override("de"):
        assert history(sent)[1] == ("bob", "Titel geändert.")


def test_without_somebody_the_history_is_silent(alice: Any) -> None:
    sent = publish_broadcast(Broadcast(title="Hello", audience=Audience.of("everyone").dump()))
    edit_broadcast(sent, title="Hello again")
    recall_broadcast(sent)
    assert history(sent) == []


def test_a_refused_change_leaves_no_history(alice: Any) -> None:
    sent = broadcast("Hello", to="everyone")
    stale = Broadcast.objects.get()
    recall_broadcast(sent)
    with pytest.raises(Exception, match="recalled"):
        edit_broadcast(stale, by=alice, title="Too late")
    assert history(sent) == []
