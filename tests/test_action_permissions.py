"""An action that asks for a permission is offered to those alone who have it, at the time of reading."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import Group, Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from notifications.inbox.reading import page
from notifications.inbox.stream import INBOX
from notifications.kinds import Kind, kind, registry
from notifications.live.cursor import Position
from notifications.live.replay import changes_since
from notifications.models import Inbox
from notifications.services import notify

from .factories import make_user, make_users, stamp, tell

pytestmark = pytest.mark.django_db

DELETE = "auth.delete_user"


class OnCall(ModelBackend):
    """A site's own rule: whoever is named so may."""

    def has_perm(self, user_obj: Any, perm: str, obj: Any = None) -> bool:
        if user_obj.get_username() == "broken":
            raise ZeroDivisionError
        return bool(user_obj.get_username() == "oncall" and perm == DELETE)


@pytest.fixture
def asked() -> Iterator[type[Kind]]:
    before = dict(registry)

    @kind("tests.asked")
    class Asked(Kind):
        number: int
        title = "Asked"

    def handler(made: Any, user: Any) -> None: ...

    Asked.action("note", label="Note")(handler)
    Asked.action("reject", label="Reject", permission=DELETE)(handler)
    yield Asked
    registry.clear()
    registry.update(before)


def permission() -> Permission:
    return Permission.objects.get(codename="delete_user", content_type__app_label="auth")


def offered(user: Any) -> list[str]:
    [item] = page(user).items
    return [action.name for action in item.actions]


def test_who_has_it_by_themselves_by_a_group_or_as_superuser_sees_the_button(asked: Any) -> None:
    own, member, chief, nobody, gone = (make_user(name) for name in ("own", "member", "chief", "nobody", "gone"))
    own.user_permissions.add(permission())
    team = Group.objects.create(name="Team")
    team.permissions.add(permission())
    member.groups.add(team)
    chief.is_superuser = True
    chief.save()
    gone.user_permissions.add(permission())
    gone.is_active = False
    gone.save()
    notify([own, member, chief, nobody, gone], asked(number=1))
    assert [offered(user) for user in (own, member, chief)] == [["note", "reject"]] * 3
    assert [offered(user) for user in (nobody, gone)] == [["note"]] * 2


def test_it_is_asked_when_somebody_reads(asked: Any) -> None:
    alice = make_user("alice")
    notify(alice, asked(number=1))
    assert offered(alice) == ["note"]
    alice.user_permissions.add(permission())
    assert offered(alice) == ["note", "reject"]
    alice.user_permissions.clear()
    assert offered(alice) == ["note"]


def test_live_frames_of_many_readers_offer_it_to_each_as_it_is(asked: Any) -> None:
    users = make_users(30)
    holder = users[7]
    holder.user_permissions.add(permission())
    notify(users, asked(number=1))
    stamp(*users)
    epochs = dict(Inbox.objects.values_list("user_id", "epoch"))
    reads = {user.pk: Position(epochs[user.pk], 0) for user in users}
    with CaptureQueriesContext(
        connection,
    ) as many:
        batches = changes_since(INBOX, reads)
    told = {pk for pk, batch in batches.items() if any(b'"reject"' in frame.data for frame in batch.frames)}
    assert told == {holder.pk}
    with CaptureQueriesContext(connection) as one:
        changes_since(INBOX, {holder.pk: reads[holder.pk]})
    assert len(many) == len(one)


def test_a_page_costs_one_query_for_a_permission_however_many_ask_for_it(asked: Any) -> None:
    alice = make_user("alice")
    tell(alice, "Plain")
    with CaptureQueriesContext(connection) as plain:
        page(alice)
    tell(alice, *(asked(number=number) for number in range(20)))
    with CaptureQueriesContext(connection) as twenty:
        assert len(page(alice).items) == 20
    assert len(twenty) == len(plain) + 1


def test_the_page_without_javascript_and_the_api_offer_no_more(asked: Any) -> None:
    alice = make_user("alice")
    [pk] = tell(alice, asked(number=1))
    browser = Client()
    browser.force_login(alice)
    assert 'name="name" value="reject"' not in browser.get("/notifications/").content.decode()
    url = reverse("notifications:perform-action", args=[pk])
    assert browser.post(url, {"action": "reject"}).status_code == 403
    assert browser.post("/notifications/", {"action": "do", "id": pk, "name": "reject"}).status_code == 403


def test_a_sites_own_backend_is_asked_and_what_it_raises_means_no(
    asked: Any, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.AUTHENTICATION_BACKENDS = [f"{__name__}.OnCall"]
    users = {name: make_user(name) for name in ("oncall", "other", "broken")}
    users["other"].user_permissions.add(permission())
    notify(users.values(), asked(number=1))
    assert {name: offered(user) for name, user in users.items()} == {
        "oncall": ["note", "reject"], "other": ["note"], "broken": ["note"],
    }  # fmt: skip
    assert "its actions are not offered" in caplog.text
