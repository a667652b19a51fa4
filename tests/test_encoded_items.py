"""Items that many recipients are told alike are encoded once: and each of them is told what is theirs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.utils import timezone

from notifications.inbox.entries import with_notices
from notifications.inbox.items import Items
from notifications.inbox.stream import INBOX
from notifications.kinds import Kind, kind, registry
from notifications.live.frames import encode
from notifications.models import Notice, Notification
from notifications.services import archive, mark_read, mark_seen, notify, pin, snooze, withdraw
from tests.factories import make_user, make_users, stamp

pytestmark = pytest.mark.django_db

DELETE = "auth.delete_user"


@pytest.fixture
def asked() -> Iterator[type[Kind]]:
    before = dict(registry)

    @kind("tests.asked")
    class Asked(Kind):
        number: int

        def title(self) -> str:
            return f"Number {self.number}"

    Asked.action("note", label="Note")(lambda made, user: None)
    Asked.action("reject", label="Reject", permission=DELETE)(lambda made, user: None)
    yield Asked
    registry.clear()
    registry.update(before)


def told(*users: Any) -> None:
    """Check that what each of some users is told, when all are read at once, is what they are told alone."""
    stamp(*users)
    rows = with_notices(INBOX.after.run({user.pk: 0 for user in users}, INBOX.alias), INBOX.alias)
    for language in ("en", "de", ""):
        together = Items(rows).encoded(rows, language)
        for row, encoded in zip(rows, together, strict=True):
            [alone] = Items([row]).show([row], language)
            assert encoded.data == encode(alone)
            assert encoded.version == alone.version
            assert json.loads(encoded.data)["id"] == row.pk


def of(user: Any) -> list[int]:
    return list(Notification.objects.of(user).values_list("pk", flat=True))


CHANGES: dict[str, Callable[[Any], object]] = {
    "is read": lambda user: mark_read(user, of(user)),
    "is seen": mark_seen,
    "is archived": lambda user: archive(user, of(user)),
    "is pinned": lambda user: pin(user, of(user)),
    "is snoozed": lambda user: snooze(user, of(user), timezone.now() + timedelta(hours=1)),
    "has no toast": lambda user: Notification.objects.of(user).update(toast=False),
    "has grown, by whoever changed the row": lambda user: Notification.objects.of(user).update(growth={"events": 3}),
    "is withdrawn": lambda user: withdraw(Notice.objects.get()),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_one_whose_copy_differs_is_told_so_alone(change: Callable[[Any], object]) -> None:
    users = make_users(4)
    notify(users, "One", body="ü, {}", data={"a": [1, {"b": None}]}, actor=make_user("bob"))
    stamp(*users)
    change(users[1])
    told(*users)


def test_an_action_is_offered_to_those_alone_who_may(asked: Any) -> None:
    users = make_users(3)
    users[1].user_permissions.add(Permission.objects.get(codename="delete_user", content_type__app_label="auth"))
    notify(users, asked(number=7))
    told(*users)
    rows = with_notices(INBOX.after.run({user.pk: 0 for user in users}, INBOX.alias), INBOX.alias)
    offered = {
        row.recipient_id: [action["name"] for action in json.loads(one.data)["actions"]]
        for row, one in zip(rows, Items(rows).encoded(rows, "en"), strict=True)
    }
    assert [offered[user.pk] for user in users] == [["note"], ["note", "reject"], ["note"]]


def test_an_item_that_has_grown_for_one_has_not_grown_for_all() -> None:
    ann, ben = make_user("ann"), make_user("ben")
    notify(ann, "One", group="post:7", actor=ben)
    stamp(ann)
    notify([ann, ben], "Two", group="post:7")
    told(ann, ben)
