"""What notifications are about may be of a model that is derived from the one that their kind names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db.models.signals import post_delete

from notifications.inbox import subjects
from notifications.inbox.reading import page
from notifications.kinds import Kind, kind, registry
from notifications.services import mark_object_read, notify
from tests.factories import make_user
from tests.uuid_project.models import Bus, Vehicle


@kind("tests.sold", about="vehicle", when_gone="withdraw")
class Sold(Kind):
    """The rule is about vehicles, of every sort."""

    vehicle: Vehicle

    def title(self) -> str:
        return str(self.vehicle)


@pytest.fixture(autouse=True)
def declared() -> Iterator[None]:
    """Listen as an app's ready() does, and stop afterwards."""
    before = dict(registry)
    subjects.connect()
    yield
    registry.clear()
    registry.update(before)
    for model in (Bus, Vehicle):
        post_delete.disconnect(sender=model, dispatch_uid="carillon.apply_after_commit")


def titles(user: Any) -> list[str]:
    return [item.title for item in page(user).items]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("delete", [Bus.delete, lambda bus: bus.vehicle_ptr.delete()], ids=["itself", "its base"])
def test_the_rule_for_its_deletion_holds_for_it_too(delete: Any) -> None:
    alice, bus = make_user("alice"), Bus._base_manager.create(name="Number 7", seats=40)
    notify(alice, Sold(vehicle=bus))
    notify(alice, Sold(vehicle=Vehicle._base_manager.create(name="Tram")))
    Bus._base_manager.update(name="Number 8")
    assert titles(alice) == ["Tram", "Number 8"]
    assert mark_object_read(alice, Bus._base_manager.get()) == 1
    delete(bus)
    assert titles(alice) == ["Tram"]
