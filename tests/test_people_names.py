"""What others read of a person is what the site chose, and by default no address."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import override_settings
from django.utils.safestring import mark_safe

from notifications import checks
from notifications.chat.members import room_infos
from notifications.conf import conf
from notifications.inbox import actors
from notifications.inbox.actors import actor, display_name
from notifications.inbox.frames import Actor
from notifications.live.frames import encode
from notifications.models import Notification
from notifications.services import create_room, post_message
from tests.factories import make_user
from tests.test_checks import found

NAMES: dict[str, tuple[dict[str, str], str]] = {
    "the full name": ({"username": "alice", "first_name": "Alice", "last_name": "Amari"}, "Alice Amari"),
    "the first name": ({"username": "alice", "first_name": "Alice"}, "Alice"),
    "the name to sign in with": ({"username": "alice"}, "alice"),
    "no address to sign in with": ({"username": "alice@site.example"}, "User 7"),
    "no address in place of a first name": ({"username": "alice", "first_name": "alice@site.example"}, "alice"),
    "nothing invisible": ({"username": "alice", "first_name": "  "}, "alice"),
}

ADDRESSES: Any = SimpleNamespace(  # a user model that knows nothing of a person but the address
    __name__="Person",
    USERNAME_FIELD="email",
    EMAIL_FIELD="email",
    _meta=SimpleNamespace(get_fields=lambda: [SimpleNamespace(name="email", column="email", unique=True)]),
)


def nickname(user: Any) -> str:
    return f"~{user.username}"


@pytest.mark.parametrize(("fields", "name"), NAMES.values(), ids=NAMES)
def test_the_first_private_name_is_shown(fields: dict[str, str], name: str) -> None:
    assert display_name(User(pk=7, **fields)) == name


def test_a_user_model_that_knows_only_addresses_shows_none(monkeypatch: pytest.MonkeyPatch) -> None:
    person: Any = SimpleNamespace(pk="3f0c2a91-6d0b", get_username=lambda: "alice")
    monkeypatch.setattr(actors, "get_user_model", lambda: ADDRESSES)
    assert display_name(person) == "User 3f0c2a91"


@pytest.mark.parametrize("chosen", [nickname, "tests.test_people_names.nickname"])
def test_the_site_chooses(chosen: Any) -> None:
    with override_settings(NOTIFICATIONS_DISPLAY_NAME=chosen):
        assert actor(User(pk=7, username="alice")).name == "~alice"


def fails(user: Any) -> str:
    raise AttributeError("profile")


NOT_A_NAME: dict[str, tuple[Any, str]] = {
    "fails": (fails, "User 7"),
    "nothing": (lambda user: None, "User 7"),
    "half a character": (lambda user: "Al\ud800", "Al\ufffd"),
    "markup": (lambda user: mark_safe("Alice"), "Alice"),
}


@pytest.mark.parametrize(("chosen", "name"), NOT_A_NAME.values(), ids=NOT_A_NAME)
def test_whatever_the_site_returns_is_a_name_that_can_be_told(chosen: Any, name: str) -> None:
    with override_settings(NOTIFICATIONS_DISPLAY_NAME=chosen):
        assert encode(actor(User(pk=7, username="alice"))) == encode(Actor(7, name))


@pytest.mark.django_db
def test_a_member_has_the_handle_that_the_site_chose_and_else_none() -> None:
    alice, bob = make_user("alice"), make_user("bob", email="bob@site.example")
    room = create_room("Project", by=alice, members=[bob])
    for field, handles in {"username": ["alice", "bob"], "": [None, None]}.items():
        with override_settings(NOTIFICATIONS_HANDLE=field):
            members = room_infos([room.pk])[room.pk].members or []
            assert [member.handle for member in members] == handles


@pytest.mark.django_db(transaction=True)
def test_without_a_handle_nobody_can_be_mentioned() -> None:
    alice, bob = make_user("alice"), make_user("bob")
    room = create_room("Project", by=alice, members=[bob])
    with override_settings(NOTIFICATIONS_HANDLE=""):
        post_message(room, "@bob look", by=alice)
    assert [row.notice.title for row in _notifications(bob)] == ["alice in Project"]


def _notifications(user: Any) -> Any:
    return Notification.objects.of(user).select_related("notice")


def test_a_handle_that_is_no_unique_field_or_an_address_is_named() -> None:
    assert found(NOTIFICATIONS_HANDLE="nickname") == ["carillon.E021"]
    assert found(NOTIFICATIONS_HANDLE="first_name") == ["carillon.E021"]
    assert found(NOTIFICATIONS_DISPLAY_NAME="tests.nothing") == ["carillon.E001"]


def test_people_without_a_name_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (actors, checks):
        monkeypatch.setattr(module, "get_user_model", lambda: ADDRESSES)
    assert [message.id for message in checks.check_names(None)] == ["carillon.W020", "carillon.E021"]
    with override_settings(NOTIFICATIONS_HANDLE="email"):
        assert [message.id for message in checks.check_names(None)] == ["carillon.W020", "carillon.W021"]
    with override_settings(NOTIFICATIONS_HANDLE="", NOTIFICATIONS_DISPLAY_NAME=nickname):
        assert checks.check_names(None) == []
    assert conf.HANDLE == "username"
