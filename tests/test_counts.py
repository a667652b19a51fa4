"""The numbers on the bell: exact up to a hundred, and at a price that does not grow with what is unread."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from notifications.inbox.counts import COUNTED, Counts, counts
from notifications.models import Notice, Notification

from .factories import make_user, make_users

pytestmark = pytest.mark.django_db

NOW = timezone.now()


def fill(user: Any, number: int, **fields: Any) -> None:
    """Give a user many notifications at once."""
    notices = Notice.objects.bulk_create([Notice(title=str(n)) for n in range(number)])
    Notification.objects.bulk_create([Notification(recipient=user, notice=notice, **fields) for notice in notices])


def count(user: Any) -> Counts:
    return counts([user.pk])[user.pk]


@pytest.mark.parametrize("number", [0, 1, COUNTED - 1, COUNTED, COUNTED + 1, 3 * COUNTED])
def test_it_counts_to_a_hundred(number: int) -> None:
    alice = make_user()
    fill(alice, number)
    assert count(alice) == Counts(min(number, COUNTED), min(number, COUNTED))


def test_it_counts_what_is_unseen_also_behind_a_hundred_that_were_seen() -> None:
    alice = make_user()
    fill(alice, 3)
    fill(alice, COUNTED + 10, seen_at=NOW)
    assert count(alice) == Counts(COUNTED, 3)


def test_it_passes_over_what_nobody_sees() -> None:
    alice = make_user()
    fill(alice, 2 * COUNTED)
    Notice.objects.filter(title__lt="3").update(expires_at=NOW)
    Notice.objects.filter(title__gt="5").update(recalled_at=NOW)
    fill(alice, 5, read_at=NOW, seen_at=NOW)
    fill(alice, 5, archived_at=NOW)
    shown = Notification.objects.of(alice).unseen().visible().count()
    assert 0 < shown < COUNTED
    assert count(alice) == Counts(shown, shown)


def test_each_user_has_numbers_of_their_own_with_one_query() -> None:
    users = make_users(13)
    for number, user in enumerate(users):
        fill(user, number)
    pks = [user.pk for user in users]
    with CaptureQueriesContext(connection) as queries:
        found = counts([*pks, *pks[:2]])
    assert found == {pk: Counts(number, number) for number, pk in enumerate(pks)}
    assert len(queries) == 1


def test_a_user_who_does_not_exist_has_none() -> None:
    assert counts([999_999_999]) == {999_999_999: Counts()}


def sqlite_steps(run: Any) -> float:
    """Return the steps that SQLite's machine takes, in tens."""
    steps: list[int] = []
    connection.connection.set_progress_handler(lambda: steps.append(0), 10)
    try:
        run()
    finally:
        connection.connection.set_progress_handler(None, 0)
    return len(steps)


def mariadb_rows(run: Any) -> float:
    """Return the rows and entries of indexes that MariaDB reads."""

    def read() -> int:
        with connection.cursor() as cursor:
            cursor.execute("SHOW SESSION STATUS LIKE 'Handler_read%%'")
            return sum(int(value) for _name, value in cursor.fetchall())

    before = read()
    run()
    return read() - before


def postgresql_rows(run: Any) -> float:
    """Return the rows that the nodes of PostgreSQL's plan look at."""

    def looked_at(node: dict[str, Any]) -> float:
        rows = node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
        return float(rows * node["Actual Loops"]) + sum(map(looked_at, node.get("Plans", [])))

    with CaptureQueriesContext(connection) as queries:
        run()
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN (ANALYZE, FORMAT JSON) " + queries[0]["sql"])
        [[plans]] = cursor.fetchall()
    return looked_at((json.loads(plans) if isinstance(plans, str) else plans)[0]["Plan"])


def price(user: Any) -> float:
    """Return what it costs the database to count for a user, once the statement is known."""
    count(user)
    measure = {"sqlite": sqlite_steps, "mysql": mariadb_rows, "postgresql": postgresql_rows}[connection.vendor]
    return measure(lambda: count(user))


@pytest.mark.django_db(transaction=True)  # for ANALYZE commits on MariaDB
@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({}, id="unseen"),
        pytest.param({"seen_at": NOW}, id="seen"),
        pytest.param({"seen_at": NOW, "read_at": NOW}, id="read"),
        pytest.param({"archived_at": NOW}, id="archived"),
    ],
)
@pytest.mark.parametrize("analyzed", [False, True])
def test_its_price_is_that_of_a_hundred(fields: dict[str, Any], analyzed: bool) -> None:
    few, many = make_users(2)
    fill(few, COUNTED)
    fill(many, 40 * COUNTED, **fields)
    if analyzed or connection.vendor == "postgresql":  # which else plans for the rows of whatever test came before
        analyze = "ANALYZE TABLE" if connection.vendor == "mysql" else "ANALYZE"
        with connection.cursor() as cursor:
            for model in (Notification, Notice):
                cursor.execute(f"{analyze} {model._meta.db_table}")
    assert price(many) < 2 * price(few)
