"""What does not grow with the tables, nor with what a user has: counted in statements and in rows that are read."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from notifications.audiences import Audience
from notifications.chat.prune import prune_messages
from notifications.inbox.filters import facets, narrowed
from notifications.inbox.outbox import collect
from notifications.inbox.reading import page
from notifications.inbox.searching import SEARCHED, first_rows
from notifications.inbox.stream import INBOX, State, listed
from notifications.live.cursor import Position
from notifications.live.replay import changes_since
from notifications.models import Broadcast, Inbox, Notice, Notification, Outbox
from notifications.models.broadcast import OUTBOX, BroadcastState
from notifications.services import (
    archive_all,
    create_room,
    edit_message,
    mark_all_read,
    mark_seen,
    notify,
    post_message,
    prune,
    undo,
)

from .factories import make_user, make_users
from .threads import together

pytestmark = pytest.mark.django_db(transaction=True)

NOW = timezone.now()


def fill(user: Any, number: int, **fields: Any) -> None:
    """Give a user many notifications at once, as the sequencer leaves them."""
    notify(user, "The first")
    notices = Notice.objects.bulk_create([Notice(title=str(n)) for n in range(number - 1)])
    rows = [Notification(recipient=user, notice=notice, modseq=1, arrival=1, **fields) for notice in notices]
    Notification.objects.bulk_create(rows)


def statements(run: Callable[[], Any]) -> int:
    with CaptureQueriesContext(connection) as queries:
        run()
    return len(queries)


@pytest.mark.parametrize("verb", [mark_all_read, archive_all, mark_seen])
def test_a_verb_on_all_notifications_costs_as_many_statements_for_ten_as_for_ten_thousand(verb: Any) -> None:
    few, many = make_user("few"), make_user("many")
    fill(few, 10)
    fill(many, 10_000)
    head = Inbox.objects.get(pk=many.pk).head
    assert statements(lambda: verb(many)) == statements(lambda: verb(few)) < 15
    assert set(Notification.objects.of(many).values_list("modseq", flat=True)) == {head + 1}


def test_so_does_undoing_it() -> None:
    alice = make_user()
    fill(alice, 2_000)
    changed = archive_all(alice)
    assert changed == 2_000
    assert statements(lambda: undo(alice, changed.undo)) < 15
    assert Notification.objects.of(alice).not_archived().count() == 2_000


def test_whoever_reads_along_is_told_what_it_has_changed() -> None:
    alice = make_user()
    fill(alice, 3)
    inbox = Inbox.objects.get()
    mark_all_read(alice)
    batch = changes_since(INBOX, {alice.pk: Position(inbox.epoch, inbox.head)})[alice.pk]
    assert batch.to.modseq == inbox.head + 1
    assert b"".join(frame.data for frame in batch.frames).count(b'"read_at":"') == 3


def test_it_gives_no_position_where_it_changes_nothing() -> None:
    alice = make_user()
    fill(alice, 3)
    mark_all_read(alice)
    head = Inbox.objects.get().head
    assert mark_all_read(alice) == 0
    assert Inbox.objects.get().head == head


def test_what_waits_for_its_position_is_changed_too_and_gets_it() -> None:
    alice = make_user()
    fill(alice, 3)
    Notification.objects.filter(notice__title="1").update(modseq=None, arrival=None)
    assert mark_all_read(alice) == 3
    assert not Notification.objects.unread().exists()
    assert not Notification.objects.filter(modseq=None).exists()


def test_in_a_transaction_it_holds_no_inbox() -> None:
    alice = make_user()
    fill(alice, 3)
    with transaction.atomic():
        mark_all_read(alice)
        assert Notification.objects.filter(modseq=None).count() == 3
    assert not Notification.objects.filter(modseq=None).exists()


def test_of_two_at_once_each_change_gets_a_position() -> None:
    alice = make_user()
    fill(alice, 300)
    together(lambda: mark_all_read(alice), lambda: mark_seen(alice), lambda: archive_all(alice))
    assert not Notification.objects.unread().exists()
    assert not Notification.objects.not_archived().exists()
    assert not Notification.objects.filter(modseq=None).exists()
    assert Notification.objects.filter(modseq__gt=Inbox.objects.get().head).count() == 0


def missed(number: int, *users: Any) -> None:
    """Publish many broadcasts, which none of `users` has collected yet."""
    Outbox.objects.get_or_create(pk=OUTBOX)
    notices = Notice.objects.bulk_create([Notice(title=f"Broadcast {n}") for n in range(number)])
    Broadcast.objects.bulk_create(
        Broadcast(
            title=notice.title,
            notice=notice,
            state=BroadcastState.SENT,
            audience=Audience.of("everyone").dump(),
            published_at=timezone.now(),
            outbox_id=OUTBOX,
            modseq=n,
            arrival=n,
        )
        for n, notice in enumerate(notices, 1)
    )
    Outbox.objects.update(head=number)


def test_late_visitors_cost_as_many_statements_whatever_they_have_missed() -> None:
    few, many = make_users(20, "few"), make_users(20, "many")
    missed(400)
    keys = [user.pk for user in few]
    assert statements(lambda: collect(INBOX, keys[:1])) < 30
    assert statements(lambda: collect(INBOX, keys[1:3])) < 30
    assert statements(lambda: collect(INBOX, [user.pk for user in many])) < 30
    rows = Notification.objects.of(many[0])
    assert rows.count() == 400
    assert len(set(rows.values_list("modseq", "arrival"))) == 1
    assert not Notification.objects.filter(modseq=None).exists()
    newest_first = [item.title for item in page(many[0], limit=100).items]
    assert newest_first == [f"Broadcast {n}" for n in range(399, 299, -1)]


def test_what_is_published_is_handed_out_once_whoever_comes_at_once() -> None:
    users = [user.pk for user in make_users(5)]
    missed(30)
    together(*[lambda: collect(INBOX, users)] * 3)
    assert Notification.objects.count() == 150
    for _ in range(2):  # whoever found an inbox held left it to the next time
        collect(INBOX, users)
    assert Notification.objects.count() == 150
    assert not Notification.objects.filter(modseq=None).exists()


def plans(run: Callable[[], Any]) -> str:
    """Return how SQLite would run the queries of a function."""
    with CaptureQueriesContext(connection) as queries:
        run()
    with connection.cursor() as cursor:
        lines = []
        for query in queries:
            if query["sql"].startswith("SELECT"):
                cursor.execute(f"EXPLAIN QUERY PLAN {query['sql']}")
                lines += [row[-1] for row in cursor.fetchall()]
    return "\n".join(lines)


@pytest.mark.skipif(connection.vendor != "sqlite", reason="Each database describes its plans otherwise.")
def test_pruning_looks_at_what_is_over_and_at_nothing_else() -> None:
    plan = plans(prune) + plans(lambda: prune_messages(NOW))
    for name in ("archived", "expiring", "recalled", "written"):
        assert f"INDEX carillon_{name}" in plan
    assert "(notice_id=?" in plan  # the copies of what is over
    for table in ("notification", "notice", "message"):
        assert f"SCAN carillon_{table}\n" not in f"{plan}\n"


EVERY_ROW = {
    "sqlite": "SELECT count(*) FROM pragma_index_list('carillon_notification') WHERE NOT partial",
    "postgresql": "SELECT count(*) FROM pg_index WHERE indrelid = 'carillon_notification'::regclass AND indpred IS NULL"
    " AND NOT indisprimary",
}


@pytest.mark.skipif(connection.vendor not in EVERY_ROW, reason="MariaDB has no partial indexes.")
def test_beside_its_key_a_notification_is_in_any_case_written_into_two_indexes() -> None:
    with connection.cursor() as cursor:
        cursor.execute(EVERY_ROW[connection.vendor])
        assert cursor.fetchone() == (2,)


def test_of_very_many_notices_a_part_is_looked_at_each_day_and_all_in_their_turn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Notice.objects.bulk_create([Notice(title="Nobody has it", created_at=NOW) for _ in range(20)])
    monkeypatch.setattr("notifications.inbox.prune.PRUNE_NOTICES", 5)
    left = []
    for day in range(8):
        monkeypatch.setattr(timezone, "now", lambda day=day: NOW + timedelta(days=day))
        prune(NOW + timedelta(days=1))
        left.append(Notice.objects.count())
    assert sorted(left, reverse=True) == left
    assert left[0] > 0 == left[-1]


def test_what_a_list_can_be_narrowed_to_is_counted_at_a_price_with_a_bound() -> None:
    alice = make_user()
    fill(alice, 6_000)
    assert len(facets(alice).categories) == 0
    assert (facets(alice).total, facets(alice).more) == (SEARCHED, True)


def rows_read(plan: dict[str, Any]) -> float:
    """Return how many rows of our tables a plan of PostgreSQL's has read."""
    ours = plan.get("Relation Name", "").startswith("carillon_")
    read = plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0) if ours else 0
    return float(read * plan["Actual Loops"]) + sum(rows_read(node) for node in plan.get("Plans", []))


def rows_read_by(run: Callable[[], Any]) -> list[float]:
    """Return how many rows each query of a function reads."""
    with CaptureQueriesContext(connection) as queries:
        run()
    found = []
    with connection.cursor() as cursor:
        for query in queries:
            if query["sql"].startswith("SELECT"):
                cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {query['sql']}")
                found.append(rows_read(cursor.fetchone()[0][0]["Plan"]))
    return found


@pytest.mark.skipif(connection.vendor != "postgresql", reason="Only PostgreSQL says how many rows a statement read.")
def test_neither_a_search_nor_what_a_list_can_be_narrowed_to_reads_on_behind_its_bound() -> None:
    alice, bob = make_users(2)
    for user in (alice, bob):
        fill(user, 8_000)
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {Notification._meta.db_table}, {Notice._meta.db_table}")
    runs: list[Callable[[], Any]] = [
        lambda: list(first_rows(alice, "all")[: SEARCHED + 1]),
        lambda: list(narrowed(alice, "all", "", "", "zebra")[:21]),
        lambda: list(narrowed(alice, "unread", "", "", "first")[:21]),
        lambda: list(narrowed(alice, "all", "none", "", "7")[:21]),
    ]
    for run in runs:
        assert SEARCHED < max(rows_read_by(run)) <= 2 * SEARCHED + 10  # each with its notice


@pytest.mark.skipif(connection.vendor == "mysql", reason="MariaDB has no partial indexes.")
@pytest.mark.parametrize("state", ["all", "unread", "archived"])
def test_a_page_is_read_in_the_order_of_an_index(state: State) -> None:
    alice = make_user()
    fill(alice, 1_000)
    Notification.objects.filter(pk__in=Notification.objects.order_by("pk")[:500]).update(archived_at=NOW)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    plan = listed(Notification.objects.of(alice.pk), state)[:20].explain().lower()
    assert "carillon_put_away" in plan if state == "archived" else "carillon_" in plan
    assert "temp b-tree" not in plan
    assert "sort" not in plan


@pytest.mark.skipif(connection.vendor != "postgresql", reason="Each database describes its plans otherwise.")
def test_archiving_all_does_not_read_what_others_have() -> None:
    alice = make_user()
    fill(alice, 2_000)
    Notice.objects.bulk_create([Notice(title="Somebody else has it") for _ in range(2_000)])
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {Notification._meta.db_table}, {Notice._meta.db_table}")
        with CaptureQueriesContext(connection) as queries:
            assert archive_all(alice) == 2_000
        for query in queries.captured_queries:
            if query["sql"].startswith('UPDATE "carillon_notification"'):
                cursor.execute(f"EXPLAIN {query['sql']}")
                assert "Seq Scan on carillon_notice " not in "\n".join(row[0] for row in cursor.fetchall())


class TestAdmin:
    """Each list costs what its bounds allow, and says so."""

    @pytest.fixture
    def staff(self) -> Client:
        client = Client()
        client.force_login(make_user("staff", is_staff=True, is_superuser=True))
        return client

    @pytest.mark.parametrize("name", ["notice", "notification", "message", "membership", "room"])
    def test_a_list_that_is_searched_looks_at_the_newest_rows_and_says_so(
        self, staff: Client, monkeypatch: pytest.MonkeyPatch, name: str
    ) -> None:
        alice = make_user()
        for number in range(4):
            room = create_room(f"Room {number}", by=alice)
            post_message(room, f"Message {number}", by=alice)
            notify(alice, f"Notice {number}")
        address = f"/admin/carillon/{name}/"
        said = b"looks at the newest 2 only"
        assert said not in staff.get(f"{address}?q=zebra").content
        monkeypatch.setattr("notifications.admin.bounds.REACH", 2)
        for query in ("?q=zebra", "?o=1"):
            with CaptureQueriesContext(connection) as queries:
                answer = staff.get(f"{address}{query}")
            assert said in answer.content
            table = f'"carillon_{name}"."id" >' if connection.vendor != "mysql" else f"`carillon_{name}`.`id` >"
            listed = [query["sql"] for query in queries if f"carillon_{name}" in query["sql"]]
            assert sum(table in sql for sql in listed) == len(listed) - 2  # those that find the newest one
        assert staff.get(address).context["cl"].result_count >= 4
        assert staff.get(f"{address}?o=1").context["cl"].result_count <= 2

    @pytest.mark.skipif(connection.vendor != "sqlite", reason="Each database describes its plans otherwise.")
    @pytest.mark.parametrize("name", ["notice", "notification", "message", "membership", "room"])
    def test_a_list_in_another_order_reads_the_newest_rows_by_their_keys(
        self, staff: Client, monkeypatch: pytest.MonkeyPatch, name: str
    ) -> None:
        monkeypatch.setattr("notifications.admin.bounds.REACH", 2)
        alice = make_user()
        for number in range(4):
            room = create_room(f"Room {number}", by=alice)
            post_message(room, f"Message {number}", by=alice)
            notify(alice, f"Notice {number}")
        plan = plans(lambda: staff.get(f"/admin/carillon/{name}/?o=1"))
        assert f"SEARCH carillon_{name} USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)" in plan

    @pytest.mark.skipif(connection.vendor != "postgresql", reason="Only PostgreSQL would rather read all notices.")
    def test_a_search_among_notifications_reads_their_notices_alone(
        self, staff: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("notifications.admin.bounds.REACH", 1_000)
        fill(make_user(), 8_000)
        with connection.cursor() as cursor:
            cursor.execute(f"ANALYZE {Notification._meta.db_table}, {Notice._meta.db_table}")
            with CaptureQueriesContext(connection) as queries:
                staff.get("/admin/carillon/notification/?q=zebra")
            searches = [query["sql"] for query in queries.captured_queries if "zebra" in query["sql"]]
            assert searches
            for sql in searches:
                cursor.execute(f"EXPLAIN {sql}")
                assert "Seq Scan on carillon_notice" not in str(cursor.fetchall())

    def test_counting_a_list_has_a_bound(self, staff: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("notifications.admin.bounds.LISTED_LIMIT", 3)
        fill(make_user(), 10)
        assert staff.get("/admin/carillon/notification/").context["cl"].result_count == 3


@pytest.mark.skipif(connection.vendor != "sqlite", reason="Each database describes its plans otherwise.")
def test_what_is_told_of_a_message_is_found_by_author_and_time() -> None:
    alice, bob = make_user(), make_user("bob")
    room = create_room("Room", by=alice, members=[bob])
    message = post_message(room, "@bob look", by=alice)
    plan = plans(lambda: edit_message(room, message.number or 0, "@bob look here", by=alice))
    assert "INDEX carillon_caused (actor_id=? AND created_at>? AND created_at<?)" in plan
    assert "SCAN carillon_notice" not in plan
    assert Notice.objects.get().body == "@bob look here"
