"""What deliveries cost those who notify."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext, override_settings
from django.utils import timezone

from notifications.deliveries import DeliveryChannel, Message
from notifications.deliveries.sending import next_due
from notifications.models import Delivery
from notifications.services import notify

from .factories import make_user, make_users
from .sending import PATH

pytestmark = pytest.mark.django_db(transaction=True)


class Phones(DeliveryChannel):
    """A channel by which each user has two devices, which cost a query."""

    has_devices = True

    def devices(self, pks: Any, using: str) -> dict[Any, list[str]]:
        list(Delivery.objects.using(using).filter(recipient__in=pks, channel="none"))
        return {pk: ["phone", "tablet"] for pk in pks}

    def send(self, message: Message) -> None:
        raise NotImplementedError


@pytest.fixture
def three_channels() -> Iterator[None]:
    plain = {"BACKEND": PATH, "DEFAULT": "on"}
    phones = {"BACKEND": f"{__name__}.Phones", "DEFAULT": "on"}
    with override_settings(NOTIFICATIONS_CHANNELS={"email": plain, "webhook:one": plain, "push": phones}):
        yield


def statements(to: Any) -> int:
    """Return how many statements a notification costs until it has its positions, after the commit."""
    with CaptureQueriesContext(connection) as queries:
        notify(to, "Hello")
    return len(queries)


def test_one_user_with_three_channels_costs_at_most_half_as_much_again(request: pytest.FixtureRequest) -> None:
    alice = make_user()
    statements(alice)  # the inbox is made at the first time
    without = statements(alice)
    request.getfixturevalue("three_channels")
    assert without < statements(alice) <= 1.5 * without
    assert Delivery.objects.count() == 4


@pytest.mark.usefixtures("three_channels")
def test_each_thousand_costs_what_those_before_do() -> None:
    few, many = make_users(2_000, "few"), make_users(4_000, "many")
    for users in (few, many):
        notify(users, "Hello")  # the inboxes are made at the first time
    assert statements(many) <= 2 * statements(few)
    assert Delivery.objects.count() == 2 * 6_000 * 4


@pytest.mark.skipif(connection.vendor != "postgresql", reason="Only PostgreSQL says how many rows a statement read.")
def test_whoever_looks_for_what_is_due_reads_nothing_of_what_waits() -> None:
    alice, due = make_user(), timezone.now() + timedelta(days=1)
    names = [f"channel{number}" for number in range(3)]
    Delivery.objects.bulk_create(
        Delivery(recipient=alice, channel=name, key=str(number), created_at=due, due_at=due)
        for name in names
        for number in range(2_000)
    )
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {Delivery._meta.db_table}")
        with CaptureQueriesContext(connection) as queries:
            assert next_due(names) == due
        for query in queries.captured_queries:
            cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {query['sql']}")
            assert most_rows(cursor.fetchone()[0][0]["Plan"]) <= 1


def most_rows(plan: dict[str, Any]) -> int:
    """Return how many rows the busiest node of a plan has read."""
    return max(int(plan["Actual Rows"]), *(most_rows(node) for node in plan.get("Plans", [])), 0)
