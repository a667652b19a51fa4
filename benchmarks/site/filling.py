"""Fill the tables of the site under test with many rows, by one statement for each table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.color import no_style
from django.db import connection, models
from django.utils import timezone

from notifications.audiences import Audience
from notifications.models import Broadcast, Inbox, Membership, Message, Notice, Notification, Outbox, Room
from notifications.models.broadcast import OUTBOX, BroadcastState

FEW, MANY, TALKER, STAFF = 1, 2, 3, 4  # users: with ten unread, with a tenth of all unread, in many rooms, the admin's
LATE = range(5, 105)  # users who have missed all broadcasts
CROWD = 1_000  # others, among whom the rest is spread, at the least
BROADCASTS = 1_000
ROOMS = 2_000  # of the talker, beside the busy one
BUSY = 1  # the room with all the messages
MEMBERS = 50
EPOCH = "00000000"
PERIOD = 1_000_000  # seconds in which all was written: so short that nothing is to be pruned

# The indexes of some tables that no constraint has made, each with the statement that makes it.
_INDEXES = {
    "sqlite": "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name IN ({})",
    "postgresql": "SELECT indexname, indexdef FROM pg_indexes WHERE tablename IN ({}) "
    "AND indexname NOT IN (SELECT conname FROM pg_constraint)",
    "mysql": "SELECT NULL, NULL FROM DUAL WHERE NULL IN ({})",  # stay, for foreign keys need some
}
_FASTER = {  # while nobody else is there, and nothing would be lost
    "sqlite": ("PRAGMA foreign_keys = OFF", "PRAGMA journal_mode = OFF", "PRAGMA cache_size = -1000000"),
    "postgresql": ("SET session_replication_role = replica", "SET maintenance_work_mem = '512MB'"),
    "mysql": ("SET foreign_key_checks = 0, sql_mode = CONCAT(@@sql_mode, ',PIPES_AS_CONCAT')",),
}
_USUAL = {
    "sqlite": ("PRAGMA foreign_keys = ON", "PRAGMA journal_mode = WAL", "PRAGMA cache_size = -2000"),
    "postgresql": ("RESET session_replication_role", "RESET maintenance_work_mem"),
    "mysql": ("SET foreign_key_checks = 1, sql_mode = REPLACE(@@sql_mode, 'PIPES_AS_CONCAT', '')",),
}


def insert(model: type[models.Model], number: int, /, **columns: str | tuple[Any]) -> None:
    """Insert rows, numbered by `i` from 1 on.

    Args:
        model: Whose.
        number: How many rows.
        columns: Values by attribute: SQL about `i`, or a value in a tuple. All others have their defaults.
    """
    names, values, given = [], [], []
    for field in model._meta.concrete_fields:
        value = columns.pop(field.attname, None)
        if value is None and field.primary_key:
            value = "i"
        names.append(connection.ops.quote_name(field.column))
        if isinstance(value, str):
            values.append(value)
        else:
            constant = field.get_default() if value is None else value[0]
            values.append("%s")
            given.append(None if constant is None else field.get_db_prep_save(constant, connection))
    if columns:
        raise TypeError(f"{model.__name__} has no {', '.join(columns)}.")
    if number < 1:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {model._meta.db_table} ({', '.join(names)}) WITH {_numbers(number)} "
            f"SELECT {', '.join(values)} FROM n",
            given,
        )


def _numbers(last: int) -> str:
    """Return what names the numbers from 1 on `n`, in a `WITH`."""
    if connection.vendor == "mysql":  # which writes each step of a recursion to a table
        return f"n(i) AS (SELECT seq FROM seq_1_to_{last})"
    return f"RECURSIVE n(i) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i < {last})"


def fill(rows: int) -> None:
    """Make `rows` notices, as many copies of them, and as many messages in one room; users, rooms and broadcasts."""
    call_command("migrate", verbosity=0)
    now = timezone.now()
    users = LATE.stop - 1 + max(CROWD, rows // 100)
    written = _spread(rows, now)
    with _bulk((Notice, Notification, Message)):
        _people(users)
        _inbox(rows, users, written, now)
        _broadcasts(rows, now)
        _chat(rows, users, written)
    _count_on()
    with connection.cursor() as cursor:
        cursor.execute(_analyze())


def _analyze() -> str:
    if connection.vendor == "mysql":
        return f"ANALYZE TABLE {', '.join(connection.introspection.django_table_names())}"
    return "VACUUM ANALYZE" if connection.vendor == "postgresql" else "ANALYZE"


@contextmanager
def _bulk(filled: Sequence[type[models.Model]]) -> Iterator[None]:
    """Let the block fill tables without what slows it down: a journal, checks of keys, and indexes, made after it."""
    tables = [model._meta.db_table for model in filled]
    with connection.cursor() as cursor:
        cursor.execute(_INDEXES[connection.vendor].format(", ".join(["%s"] * len(tables))), tables)
        indexes = cursor.fetchall()
        for statement in _FASTER[connection.vendor]:
            cursor.execute(statement)
        for name, _made in indexes:
            cursor.execute(f"DROP INDEX {connection.ops.quote_name(name)}")
        yield
        for _name, made in indexes:
            cursor.execute(made)
        for statement in _USUAL[connection.vendor]:
            cursor.execute(statement)


def _inbox(rows: int, users: int, written: str, now: Any) -> None:
    """Make notices and a copy of each; the last tenth are about messages of the talker."""
    chat = f"i > {rows - rows // 10}"
    insert(
        Notice,
        rows,
        title="'Order ' || i || ' shipped'",
        body=("Lorem ipsum " * 10,),
        kind=f"CASE WHEN {chat} THEN 'chat.message' ELSE '' END",
        category=f"CASE WHEN {chat} THEN 'chat' ELSE 'orders' END",
        actor_id=f"CASE WHEN {chat} THEN {TALKER} END",
        created_at=written,
    )
    crowd = f"{LATE.stop} + i %% {users - LATE.stop + 1}"
    insert(
        Notification,
        rows,
        notice_id="i",
        recipient_id=f"CASE WHEN i <= {rows // 10} THEN {MANY} WHEN i <= {rows // 10 + 10} THEN {FEW} ELSE {crowd} END",
        modseq="i",
        arrival="i",
        rank="1000000 * i",
        dedupe_key=f"CASE WHEN {chat} THEN 'carillon.room-{BUSY}.' || i || '.' || i END",
        read_at=_for(rows, "i %% 10 > 2 AND i %% 10 < 8", now),
        seen_at=_for(rows, "i %% 10 > 2 AND i %% 10 < 8", now),
        archived_at=_for(rows, "i %% 10 > 7", now),
    )


def _people(users: int) -> None:
    made = get_user_model()
    insert(made, users, username="'user' || i", is_active=(True,), date_joined=(timezone.now() - timedelta(days=365),))
    made.objects.filter(pk=STAFF).update(is_staff=True, is_superuser=True)
    collected = f"CASE WHEN i >= {LATE.start} AND i < {LATE.stop} THEN 0 ELSE {BROADCASTS} END"
    insert(Inbox, users, user_id="i", epoch=(EPOCH,), head="100000000", collected=collected)


def _for(rows: int, condition: str, now: Any) -> str:
    """Return a time for those rows of the crowd that meet a condition."""
    time = connection.ops.adapt_datetimefield_value(now)
    typed = "::timestamptz" if connection.vendor == "postgresql" else ""
    return f"CASE WHEN i > {rows // 10 + 10} AND {condition} THEN '{time}'{typed} END"


def _broadcasts(rows: int, now: Any) -> None:
    insert(Outbox, 1, id=(OUTBOX,), epoch=(EPOCH,), head=(BROADCASTS,))
    insert(Notice, BROADCASTS, id=f"{rows} + i", title="'Maintenance ' || i", kind=("broadcast",))
    insert(
        Broadcast,
        BROADCASTS,
        title="'Maintenance ' || i",
        state=(BroadcastState.SENT,),
        audience=(Audience.of("everyone").dump(),),
        published_at=(now - timedelta(hours=1),),
        notice_id=f"{rows} + i",
        outbox_id=(OUTBOX,),
        modseq="i",
        arrival="i",
    )


def _spread(rows: int, now: Any) -> str:
    """Return a time for each row, evenly one after the other; the last one is now."""
    time, step = connection.ops.adapt_datetimefield_value(now), PERIOD / rows
    if connection.vendor == "postgresql":
        return f"'{time}'::timestamptz - ({rows} - i) * interval '{step} seconds'"
    if connection.vendor == "mysql":
        return f"'{time}' - INTERVAL ({rows} - i) * {step} SECOND"
    return f"strftime('%%Y-%%m-%%d %%H:%%M:%%f', '{time}', ((i - {rows}) * {step}) || ' seconds')"


def _chat(rows: int, users: int, written: str) -> None:
    insert(Room, ROOMS + 1, name="'Room ' || i", epoch=(EPOCH,), last_number="1", head="1", size=(MEMBERS,))
    Room.objects.filter(pk=BUSY).update(last_number=rows, head=rows)
    insert(Membership, MEMBERS, room_id=(BUSY,), user_id="i", last_read=f"{rows}")
    insert(Membership, ROOMS, id=f"{MEMBERS} + i", room_id="i + 1", user_id=(TALKER,))
    insert(Membership, ROOMS, id=f"{MEMBERS + ROOMS} + i", room_id="i + 1", user_id=f"{LATE.start} + i %% 100")
    said = {"modseq": "i", "content_modseq": "i"}
    insert(
        Message,
        rows,
        room_id=(BUSY,),
        number="i",
        author_id=f"1 + i %% {MEMBERS}",
        body="'It is message ' || i",
        created_at=written,
        **said,
    )
    single = dict.fromkeys(said, "1")
    insert(
        Message, ROOMS, id=f"{rows} + i", room_id="i + 1", number="1", author_id=(TALKER,), body=("Hello",), **single
    )


def _count_on() -> None:
    """Have automatic keys go on after those that were given."""
    filled = [get_user_model(), Notice, Notification, Broadcast, Room, Membership, Message]
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), filled):
            cursor.execute(statement)
