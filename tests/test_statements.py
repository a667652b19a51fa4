"""Statements that are compiled once and answer as the querysets would that they are made of."""

from __future__ import annotations

import gc
import weakref
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone

from notifications.inbox.counts import counts
from notifications.inbox.entries import COLUMNS, with_notices
from notifications.inbox.stream import INBOX
from notifications.live.statements import ARRAYS, SIZES, CompiledEntries, CompiledInsert, CompiledSelect, instances
from notifications.models import Inbox, Notice, Notification
from notifications.services import notify
from tests.factories import make_user, make_users, stamp, tell

pytestmark = pytest.mark.django_db

ROWS = CompiledEntries(INBOX.entries, INBOX.field, instances(Notification, ("notice", "notice__actor")), 1_000)


def read(*users: Any) -> list[Notification]:
    """Return all rows of the inboxes of some users, through the compiled statement."""
    rows: list[Notification] = ROWS.run({user.pk: 0 for user in users}, INBOX.alias)
    return rows


def values(row: Any) -> dict[str, Any]:
    """Return what the columns of a row hold."""
    return {column.attname: getattr(row, column.attname) for column in row._meta.concrete_fields}


def test_a_row_is_what_the_queryset_would_return_with_all_that_it_refers_to(
    django_assert_num_queries: Any,
) -> None:
    alice, bob = make_user("alice"), make_user("bob")
    tell(alice, "One", actor=bob, data={"a": [1, None, "ü"]}, expires_at=timezone.now())
    [row] = read(alice)
    [expected] = Notification.objects.with_content().filter(recipient=alice)
    with django_assert_num_queries(0):
        assert (row, row.notice, row.notice.actor) == (expected, expected.notice, bob)
        for made, stored in [(row, expected), (row.notice, expected.notice), (row.notice.actor, bob)]:
            assert values(made) == values(stored)
        assert (row._state.adding, row._state.db) == (False, INBOX.alias)


def test_what_a_row_does_not_refer_to_is_none(django_assert_num_queries: Any) -> None:
    alice = make_user()
    tell(alice, "One")
    [row] = read(alice)
    with django_assert_num_queries(0):
        assert row.notice.actor is None


def test_an_entry_is_what_the_row_says_and_its_notice_is_read_once_for_all_who_have_a_copy(
    django_assert_num_queries: Any,
) -> None:
    users, bob = make_users(3), make_user("bob")
    notify(users, "One", actor=bob, data={"a": [1, None, "ü"]}, group="post:7")
    stamp(*users)
    Notification.objects.update(seen_at=timezone.now(), growth={"events": 2})
    with django_assert_num_queries(2):
        entries = with_notices(INBOX.after.run({user.pk: 0 for user in users}, INBOX.alias), INBOX.alias)
        assert {id(one.notice) for one in entries} == {id(entries[0].notice)}
        assert entries[0].notice.actor == bob
    rows = Notification.objects.order_by("modseq", "pk")
    assert [[getattr(one, name) for name in COLUMNS] for one in entries] == [
        [getattr(row, name) for name in COLUMNS] for row in rows
    ]
    assert values(entries[0].notice) == values(rows[0].notice)


def test_an_entry_whose_notice_was_deleted_after_it_was_read_is_left_out() -> None:
    alice = make_user()
    tell(alice, "One", "Two")
    entries = INBOX.after.run({alice.pk: 0}, INBOX.alias)
    Notice.objects.filter(title="One").delete()
    assert [one.notice.title for one in with_notices(entries, INBOX.alias)] == ["Two"]


def test_a_stored_row_is_what_save_would_have_stored() -> None:
    bob = make_user("bob")
    given = {
        "title": "Ünïcode 🔔",
        "body": "",
        "level": "error",
        "data": {"a": [1, None, "ü"], "b": True},
        "facts": {"order": 7},
        "version": 3,
        "actor": bob,
        "created_at": timezone.now(),
        "expires_at": None,
    }
    saved, stored = Notice(**given), Notice(**given)
    saved.save()
    CompiledInsert().run(stored, INBOX.alias)
    read_saved, read_stored = (Notice.objects.get(pk=one.pk) for one in (saved, stored))
    assert values(read_stored) | {"id": saved.pk} == values(read_saved)
    assert values(stored) == values(read_stored)
    stored.title = "Changed"
    stored.save()
    assert Notice.objects.get(pk=stored.pk).title == "Changed"
    assert Notice.objects.count() == 2


def test_a_row_that_is_there_already_is_left_as_it_is() -> None:
    [pk] = tell(make_user(), "One")
    copy = Notification.objects.get(pk=pk)
    store = CompiledInsert(ignore_conflicts=True)
    store.run(Notification(recipient_id=copy.recipient_id, notice_id=copy.notice_id, muted=True), INBOX.alias)
    assert [(row.pk, row.muted) for row in Notification.objects.all()] == [(pk, False)]


def test_rows_for_many_keys_are_what_bulk_create_would_have_stored(django_assert_num_queries: Any) -> None:
    notices = [Notice.objects.create(title=title) for title in ("One", "Two")]
    users = make_users(30)
    given = {"dedupe_key": "Ünï", "rank": 7, "growth": {"a": [1, None, "ü"]}, "archived_at": timezone.now()}
    Notification.objects.bulk_create([Notification(recipient=one, notice=notices[0], **given) for one in users])
    Notification.objects.update(dedupe_key=None)
    store = CompiledInsert(ignore_conflicts=True)
    for _time in range(2):  # what is there already is left as it is
        with django_assert_num_queries(1):
            row = Notification(notice=notices[1], **(given | {"dedupe_key": None}))
            store.run_for(row, {"recipient": [one.pk for one in users]}, INBOX.alias)
    made, stored = (
        [
            values(row) | {"id": 0, "notice_id": 0}
            for row in Notification.objects.filter(notice=notice).order_by("recipient_id")
        ]
        for notice in notices
    )
    assert len(made) == len(users)
    assert made == stored


def test_rows_may_differ_in_several_columns_which_may_be_null() -> None:
    notice = Notice.objects.create(title="One")
    users = make_users(3)
    places = [7, None, 2**40]
    CompiledInsert(ignore_conflicts=True).run_for(
        Notification(notice=notice, arrival=5),
        {"recipient": [one.pk for one in users], "modseq": places},
        INBOX.alias,
    )
    rows = Notification.objects.order_by("recipient_id").values_list("recipient_id", "modseq", "arrival")
    assert list(rows) == [(one.pk, place, 5) for one, place in zip(users, places, strict=True)]


def test_a_change_returns_what_has_become_of_each_row() -> None:
    users = make_users(SIZES[1] + 1)
    notify(users, "Hello")
    stamp(*users)
    found = INBOX.advance.run([user.pk for user in users], INBOX.alias)
    assert {*map(tuple, found)} == {*Inbox.objects.values_list("pk", "epoch", "head")}
    assert {head for _pk, _epoch, head in found} == {2}


@pytest.mark.parametrize("number", [1, 2, SIZES[1], SIZES[1] + 1, SIZES[-1] + 1, 2 * SIZES[-1] + 7])
def test_any_number_of_keys_gets_each_of_its_rows_once(number: int) -> None:
    users = make_users(number)
    notify(users, "Hello")
    stamp(*users)
    assert sorted(row.recipient_id for row in read(*users)) == sorted(user.pk for user in users)
    found = counts([user.pk for user in users])
    assert [found[user.pk].unread for user in users] == [1] * number
    positions = INBOX.positions.run([user.pk for user in users], INBOX.alias)
    assert sorted(pk for pk, *_rest in positions) == sorted(user.pk for user in users)
    assert {head for _pk, _epoch, head, _floor in positions} == {1}


def test_no_keys_ask_nothing(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        assert (read(), counts([]), INBOX.positions.run([], INBOX.alias)) == ([], {}, [])


def test_there_are_as_many_texts_as_sizes_whatever_the_number_of_keys() -> None:
    users = make_users(SIZES[-1])
    statement = CompiledSelect(Notification.objects.all, "recipient_id", "id")
    for number in range(1, SIZES[-1] + 1):
        statement.run([user.pk for user in users[:number]], INBOX.alias)
    texts = {compiled.sql for compiled in statement._compiled.values()}
    assert len(texts) == (2 if connections[INBOX.alias].vendor in ARRAYS else len(SIZES))


@pytest.mark.django_db(transaction=True)
def test_the_connection_of_the_thread_that_compiled_ends_with_it() -> None:
    alice = make_user("alice")
    tell(alice, "One")
    used: list[weakref.ref[Any]] = []

    def compiled(statement: CompiledEntries) -> Any:
        used.append(weakref.ref(connections[INBOX.alias]))
        [row] = statement.run({alice.pk: 0}, INBOX.alias)
        connections.close_all()
        return row.notice.created_at

    statement = CompiledEntries(INBOX.entries, INBOX.field, instances(Notification, ["notice"]), 2)
    with ThreadPoolExecutor(1) as thread:
        created_at = thread.submit(compiled, statement).result()
    gc.collect()
    assert [connection() for connection in used] == [None]
    assert compiled(statement) == created_at
