"""Where a router sends readers to a replica, which may be late, no verb asks it what it goes by."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db.models import Model
from django.test import override_settings
from django.utils import timezone

from notifications import services
from notifications.inbox.reading import page
from notifications.kinds import Kind, Ref, kind, registry
from notifications.models import Notification
from notifications.preferences import PreferenceChoice

from .factories import make_user, stamp

pytestmark = pytest.mark.django_db

SOON = timedelta(hours=1)


class Late:
    """A router whose replica knows nothing yet of what is ours: it is not even there."""

    def db_for_read(self, model: type[Model], **hints: Any) -> str | None:
        return "replica" if model._meta.app_label == "carillon" else None

    def db_for_write(self, model: type[Model], **hints: Any) -> str:
        return "default"

    def allow_relation(self, one: Model, other: Model, **hints: Any) -> bool:
        return True


@pytest.fixture
def requested() -> Iterator[Any]:
    before = dict(registry)

    @kind("tests.requested", about="group", category="tests")
    class Requested(Kind):
        group: Ref[Group]
        title = "Requested"

    Requested.action("approve", label="Approve")(print)
    yield Requested
    registry.clear()
    registry.update(before)


class Site:
    """Somebody who has a notification of a kind, and what verbs are given."""

    def __init__(self, made: type[Any]) -> None:
        self.made, self.alice, self.group = made, make_user("alice"), Group.objects.create(name="7")
        self.notice = services.notify(self.alice, made(group=self.group))
        services.watch(self.alice, self.group)
        stamp(self.alice)
        self.cursor = page(self.alice).cursor
        self.pk = Notification.objects.get().pk
        self.broadcast = services.broadcast(made(group=self.group), to="everyone")


VERBS: dict[str, Callable[[Site], Any]] = {
    "notify": lambda site: services.notify(site.alice, site.made(group=site.group)),
    "notify once": lambda site: services.notify([site.alice], "Hello", dedupe_key="key", group="room"),
    "notify watchers": lambda site: services.notify(services.watchers(site.group), "Hello", about=site.group),
    "edit_notice": lambda site: services.edit_notice(site.notice, site.made(group=site.group)),
    "withdraw": lambda site: services.withdraw(site.notice),
    "broadcast": lambda site: services.broadcast("Hello", to="everyone"),
    "edit_broadcast": lambda site: services.edit_broadcast(site.broadcast, site.made(group=site.group)),
    "recall_broadcast": lambda site: services.recall_broadcast(site.broadcast),
    "read": lambda site: services.mark_read(site.alice, [site.pk], up_to=site.cursor),
    "read all": lambda site: services.mark_all_read(site.alice, site.cursor, category="tests"),
    "archive all": lambda site: services.archive_all(site.alice, site.cursor, kind="tests.requested"),
    "undo": lambda site: services.undo(site.alice, services.archive(site.alice, [site.pk]).undo),
    "snooze": lambda site: services.snooze(site.alice, [site.pk], timezone.now() + SOON),
    "pin": lambda site: services.pin(site.alice, [site.pk]),
    "mark_object_read": lambda site: services.mark_object_read(site.alice, site.group),
    "perform_action": lambda site: services.perform_action(site.alice, site.pk, "approve"),
    "watching": lambda site: services.watching(site.alice, site.group),
    "mute": lambda site: services.mute(site.alice, site.group, until=timezone.now() + SOON),
    "unwatch": lambda site: services.unwatch(site.alice, site.group),
    "set_preference": lambda site: services.set_preference(site.alice, "bell", "off", kind="tests.requested"),
    "preferences": lambda site: services.preferences(site.alice),
    "clear_preference": lambda site: services.clear_preference(site.alice),
    "import_preferences": lambda site: services.import_preferences([PreferenceChoice(site.alice.pk, "bell", "off")]),
    "release_due": lambda site: services.release_due(),
    "prune": lambda site: services.prune(),
    "page": lambda site: page(site.alice, search="requested", kind="tests.requested"),
}


@pytest.mark.parametrize("name", VERBS)
def test_a_verb_goes_by_the_primary(requested: Any, name: str) -> None:
    site = Site(requested)
    with override_settings(DATABASE_ROUTERS=["tests.test_replica.Late"]):
        VERBS[name](site)
        stamp(site.alice)
    assert not Notification.objects.filter(modseq=None).exists()
