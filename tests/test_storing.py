"""Storing: what one `notify` costs, and when its copies get their positions."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext, override_settings

from notifications.inbox.stream import INBOX
from notifications.live.sequencer import can_stamp_at_once
from notifications.models import Inbox, Notification
from notifications.services import notify, set_preference

from .factories import make_user, make_users

pytestmark = pytest.mark.django_db(transaction=True)

PAGE = Path(__file__).parent.parent / "docs" / "explanation" / "performance.md"
VENDORS = {"sqlite": "SQLite", "postgresql": "PostgreSQL", "mysql": "MariaDB"}


def short(sql: str) -> str:
    """Return what a statement does, and to which table."""
    word = sql.split()[0]
    if word in ("INSERT", "UPDATE", "SELECT"):
        [table] = re.findall(r"carillon_(\w+)|auth_(user)\b", sql)[:1]
        return f"{word} {''.join(table)}"
    return re.split(r" IMMEDIATE|[ `\"]+s\d", sql)[0]


def documented(heading: str) -> list[str]:
    """Return the statements that the documentation lists under a heading, for this database."""
    section = PAGE.read_text().split(f"### {heading}\n")[1].split("\n#")[0]
    rows = [[cell.strip(" `") for cell in line.split("|")[1:-1]] for line in section.splitlines() if line[:1] == "|"]
    return [statement for statement, on, *_why in rows[2:] if on == "all" or VENDORS[connection.vendor] in on]


def test_every_statement_of_one_notify_is_documented() -> None:
    alice = make_user()
    notify(alice, "The inbox is made")
    with CaptureQueriesContext(connection) as queries:
        notify(alice, "Hello")
    assert [short(query["sql"]) for query in queries] == documented("Each statement of one `notify()`")


def test_every_statement_in_a_callers_transaction_is_documented() -> None:
    alice = make_user()
    notify(alice, "The inbox is made")
    with CaptureQueriesContext(connection) as queries, transaction.atomic():
        notify(alice, "Hello")
    assert [short(query["sql"]) for query in queries] == documented("The same in a transaction of yours")


def test_a_transaction_that_somebody_else_ends_is_not_ours() -> None:
    assert can_stamp_at_once(INBOX.alias) == (connection.vendor != "mysql")
    with transaction.atomic():
        assert not can_stamp_at_once(INBOX.alias)
    transaction.set_autocommit(False)
    try:
        assert not can_stamp_at_once(INBOX.alias)
    finally:
        transaction.rollback()
        transaction.set_autocommit(True)


def test_every_statement_of_a_send_with_a_dedupe_key_is_documented() -> None:
    alice = make_user()
    notify(alice, "The inbox is made")
    with CaptureQueriesContext(connection) as queries:
        notify(alice, "Hello", dedupe_key="once")
    assert [short(query["sql"]) for query in queries] == documented("The same with a `dedupe_key`")


@pytest.mark.parametrize("dedupes", [False, True])
@pytest.mark.parametrize("number", [1, 3, 501, 1_001])
def test_all_have_their_positions_when_notify_returns(number: int, dedupes: bool) -> None:
    users = make_users(number)
    for round_ in (1, 2):  # the inboxes are made at the first time
        notice = notify(users, "Hello", dedupe_key=f"round {round_}" if dedupes else None)
        copies = Notification.objects.filter(notice=notice)
        heads = dict(Inbox.objects.values_list("pk", "head"))
        assert {copy.recipient_id: (copy.modseq, copy.arrival) for copy in copies} == {
            user.pk: (round_, round_) for user in users
        }
        assert heads == {user.pk: round_ for user in users}


@pytest.mark.parametrize("number", [1, 1_000])
def test_copies_that_are_stored_with_their_positions_are_written_once(number: int) -> None:
    if connection.vendor == "mysql":
        pytest.skip("positions are given after the commit there")
    users = make_users(number)
    notify(users, "The inboxes are made")
    with CaptureQueriesContext(connection) as queries:
        notify(users, "Hello")
    assert "UPDATE notification" not in [short(query["sql"]) for query in queries]


def test_who_has_no_inbox_yet_and_who_has_one_both_have_their_positions() -> None:
    alice, bob, carol = make_users(3)
    set_preference(carol, "toast", "off")  # so that she gets another copy
    for _time in range(2):
        notify([alice, carol], "The inbox is made")
    notice = notify([alice, bob, carol], "Hello")
    assert dict(Notification.objects.filter(notice=notice).values_list("recipient_id", "modseq")) == {
        alice.pk: 3,
        bob.pk: 1,
        carol.pk: 3,
    }


def test_those_who_get_the_same_cost_one_statement_however_many_have_chosen() -> None:
    users = make_users(40)
    for user in users[:10]:
        set_preference(user, "toast", "off")
    for user in users[10:20]:
        set_preference(user, "bell", "off")
    notify(users, "The inboxes are made")
    with CaptureQueriesContext(connection) as queries:
        notice = notify(users, "Hello")
    assert [short(query["sql"]) for query in queries].count("INSERT notification") <= 2
    copies = {copy.recipient_id: copy.toast for copy in Notification.objects.filter(notice=notice)}
    assert copies == {user.pk: user not in users[:10] for user in [*users[:10], *users[20:]]}


def test_webhooks_without_an_endpoint_cost_two_statements_that_are_compiled() -> None:
    alice = make_user()
    notify(alice, "The inbox is made")
    with CaptureQueriesContext(connection) as without:
        notify(alice, "Hello")
    channels = {"webhook": {"BACKEND": "notifications.deliveries.webhook.Webhooks", "DEFAULT": "on"}}
    with override_settings(NOTIFICATIONS_CHANNELS=channels):
        notify(alice, "Compiled now")
        with CaptureQueriesContext(connection) as queries:
            notify(alice, "Hello")
    more = [query["sql"] for query in queries if "carillon_endpoint" in query["sql"]]
    assert len(queries) == len(without) + len(more) == len(without) + 2
