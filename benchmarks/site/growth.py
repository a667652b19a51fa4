"""Growth: what each hot path costs when its tables are long.

Runs in a process of its own: ``python -m benchmarks.site.growth ROWS`` fills the tables and prints JSON.
"""

from __future__ import annotations

import json
import os
import re
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path as FilePath
from statistics import median
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "benchmarks.site.settings")
django.setup()

from django.contrib.auth import get_user_model  # noqa: E402
from django.db import connection  # noqa: E402
from django.test import Client  # noqa: E402
from django.test.utils import CaptureQueriesContext  # noqa: E402
from django.utils import timezone  # noqa: E402

from notifications.chat.prune import prune_messages  # noqa: E402
from notifications.chat.reading import list_rooms  # noqa: E402
from notifications.chat.stream import ROOM, history  # noqa: E402
from notifications.deliveries.pruning import prune_deliveries  # noqa: E402
from notifications.inbox.bulk import undo  # noqa: E402
from notifications.inbox.counts import counts  # noqa: E402
from notifications.inbox.filters import facets  # noqa: E402
from notifications.inbox.outbox import collect  # noqa: E402
from notifications.inbox.reading import page, summary  # noqa: E402
from notifications.inbox.stream import INBOX  # noqa: E402
from notifications.live.cursor import Position  # noqa: E402
from notifications.live.relay import _compare  # noqa: E402
from notifications.live.replay import catch_up  # noqa: E402
from notifications.models import Inbox, Notification  # noqa: E402
from notifications.services import (  # noqa: E402
    archive_all,
    edit_message,
    edit_notice,
    mark_all_read,
    mark_seen,
    notify,
    post_message,
    prune,
    withdraw,
)

from .filling import BROADCASTS, BUSY, CROWD, EPOCH, FEW, LATE, MANY, STAFF, TALKER, fill  # noqa: E402

TIMES = 3
SLOW = 1.0  # seconds; what takes longer is measured once

_SCAN = {  # what says in a plan that a whole table of ours is read
    "sqlite": re.compile(r"SCAN (?P<table>carillon_\w+)$"),
    "postgresql": re.compile(r"Seq Scan on (?P<table>carillon_\w+)"),
    "mysql": re.compile(r"^(?P<table>carillon_\w+) ALL$"),
}
_ALIAS = re.compile(r"`(carillon_\w+)` (\w+\b)")  # what a query of MariaDB's calls a table
_SERVER = {  # what asks for the process, or the thread, that serves a connection
    "postgresql": "SELECT pg_backend_pid()",
    "mysql": "SELECT tid FROM information_schema.processlist WHERE id = connection_id()",
}


@dataclass(frozen=True)
class Measured:
    """What one path costs: the median CPU time of some runs, the statements of one, and the tables that it scans."""

    name: str
    ms: float
    statements: int
    scans: list[str]


@dataclass(frozen=True)
class Path:
    """A hot path: what runs, and what afterwards puts back what it has changed."""

    name: str
    run: Callable[[], Any]
    restore: Callable[[Any], object] | None = None
    once: bool = False


def paths(rows: int) -> Iterator[Path]:
    """Yield what is measured; the last ones change the tables."""
    users = get_user_model().objects.in_bulk([FEW, MANY, TALKER, STAFF])
    few, many, talker = users[FEW], users[MANY], users[TALKER]
    for user, text in ((few, "10 unread"), (many, "a tenth unread")):
        yield Path(f"summary, {text}", lambda user=user: summary(user))
        yield Path(f"page, {text}", lambda user=user: page(user))
        yield Path(f"page of unread, {text}", lambda user=user: page(user, "unread"))
        yield Path(f"first load, {text}", lambda user=user: catch_up(INBOX, user.pk, None))
        at = Notification.objects.filter(recipient=user).count() - 5
        seen = Position(EPOCH, at if user is many else rows // 10 + 5)
        yield Path(f"resume, {text}", lambda pk=user.pk, seen=seen: INBOX.after.run({pk: seen.modseq}, INBOX.alias))
        yield Path(f"numbers of the list, {text}", lambda user=user: facets(user))
    deep = page(many, limit=100)
    for _ in range(9):
        deep = page(many, before=deep.next, limit=100) if deep.next else deep
    yield Path("page 11 of 100", lambda: page(many, before=deep.next, limit=100))
    yield Path("search, found", lambda: page(many, search="shipped"))
    yield Path("search, not found", lambda: page(many, search="zebra"))
    crowd = range(LATE.stop, LATE.stop + CROWD)
    yield Path("counts of 100 users", lambda: counts(crowd[:100]))
    idle = {INBOX.key(pk): Position(EPOCH, 100_000_000) for pk in crowd}
    yield Path(
        "sweep of 1,000 idle streams", lambda: [_compare(dict(list(idle.items())[n : n + 500])) for n in (0, 500)]
    )
    yield Path("notify one", lambda: notify(few, "Hello"))
    notice = notify(few, "Hello")
    yield Path("edit a notice", lambda: edit_notice(notice, "Hello again"))
    yield Path("withdraw", lambda: withdraw(notify(few, "Hello")))
    yield from _chat_paths(rows, talker)
    yield Path("prune, nothing to do", prune)
    yield Path("prune messages, nothing to do", lambda: prune_messages(timezone.now() - timedelta(days=30)))
    yield Path("prune deliveries, nothing to do", prune_deliveries)
    yield from _admin_paths(users[STAFF])
    yield Path("mark all seen", lambda: mark_seen(many), lambda _n: _unsee(many))
    yield Path("mark all read", lambda: mark_all_read(many), lambda changed: undo(many, changed.undo))
    yield Path("archive all", lambda: archive_all(many), lambda changed: undo(many, changed.undo))
    yield Path(
        f"100 late visitors, {BROADCASTS:,} broadcasts",
        lambda: collect(INBOX, LATE),
        lambda _n: _come_late(rows),
        once=True,
    )


def _chat_paths(rows: int, talker: Any) -> Iterator[Path]:
    yield Path("list of rooms, of 2,000", lambda: list_rooms(talker))
    yield Path("open the busy room", lambda: catch_up(ROOM, BUSY, None))
    yield Path("middle of its history", lambda: history(BUSY, before=rows // 2))
    yield Path("post a message", lambda: post_message(BUSY, "Hello", by=talker))
    mine = 1 + (rows // 2 // 50) * 50 + 1  # a number of the talker's
    yield Path("edit a message", lambda: edit_message(BUSY, mine, "Hello again", by=talker))


def _admin_paths(staff: Any) -> Iterator[Path]:
    client = Client(headers={"host": "127.0.0.1"})
    client.force_login(staff)

    def get(address: str) -> Callable[[], Any]:
        def run() -> Any:
            answer = client.get(address)
            if answer.status_code != 200:
                raise RuntimeError(f"{address} answers {answer.status_code}.")
            return answer

        return run

    for name in ("notice", "notification", "message", "membership", "room", "broadcast", "delivery"):
        address = f"/admin/carillon/{name}/"
        yield Path(f"admin, {name} list", get(address))
        yield Path(f"admin, {name} search, found", get(f"{address}?q=user7"))
        yield Path(f"admin, {name} search, not found", get(f"{address}?q=zebra"))
    yield Path("admin, unread notifications", get("/admin/carillon/notification/?read_at__isempty=1"))
    yield Path("admin, recalled notices", get("/admin/carillon/notice/?recalled_at__isempty=0"))
    yield Path("admin, errors among notices", get("/admin/carillon/notice/?level__exact=error"))
    yield Path("admin, hidden messages", get("/admin/carillon/message/?hidden_at__isempty=0"))
    yield Path("admin, notices of 100 days ago", get("/admin/carillon/notice/?created_at__lt=2020-01-01+00:00:00Z"))
    yield Path("admin, a notice", get(f"/admin/carillon/notice/{MANY}/change/"))
    yield Path("admin, a room", get(f"/admin/carillon/room/{BUSY}/change/"))
    yield Path("admin, page to delete a user", get(f"/admin/auth/user/{MANY}/delete/"))
    yield Path("admin, a broadcast", get("/admin/carillon/broadcast/1/change/"))


def _unsee(user: Any) -> None:
    Notification.objects.filter(recipient=user).update(seen_at=None)


def _come_late(rows: int) -> None:
    Notification.objects.filter(recipient__in=LATE, notice__gt=rows).delete()
    Inbox.objects.filter(pk__in=LATE).update(collected=0)


def cpu() -> float:
    """Return the seconds of CPU that this process has taken, and the server's process or thread of its connection."""
    own = time.process_time()
    if connection.vendor not in _SERVER:
        return own
    with connection.cursor() as cursor:
        cursor.execute(_SERVER[connection.vendor])
        [[pid]] = cursor.fetchall()
    return own + int(FilePath(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


def scans(queries: list[dict[str, str]]) -> list[str]:
    """Return the tables that the plans of some statements read from end to end."""
    found: dict[str, None] = {}
    pattern = _SCAN[connection.vendor]
    explain = "EXPLAIN QUERY PLAN " if connection.vendor == "sqlite" else "EXPLAIN "
    for sql in {query["sql"] for query in queries if query["sql"].startswith("SELECT")}:
        with connection.cursor() as cursor:
            cursor.execute(explain + sql)
            for row in cursor.fetchall():
                for match in pattern.finditer(_step(sql, row)):
                    found[match["table"]] = None
    return list(found)


def _step(sql: str, row: tuple[Any, ...]) -> str:
    """Return what a row of a plan says: MariaDB's the table, by its alias in the statement, and how it is read."""
    if connection.vendor != "mysql":
        return str(row[-1])
    aliases = {alias: table for table, alias in _ALIAS.findall(sql)}
    return f"{aliases.get(row[2], row[2])} {row[3]}"


def measure(path: Path) -> Measured:
    """Run a path some times."""
    print(path.name, file=sys.stderr, flush=True)
    with CaptureQueriesContext(connection) as queries:
        start = cpu()
        result = path.run()
        first = cpu() - start
    if path.restore:
        path.restore(result)
    statements = list(queries.captured_queries)
    times = []
    for _ in range(0 if path.once else 1 if first > SLOW else TIMES):
        start = cpu()
        result = path.run()
        times.append(cpu() - start)
        if path.restore:
            path.restore(result)
    return Measured(path.name, 1000 * median(times or [first]), len(statements), scans(statements))


def main(rows: int) -> None:
    """Fill, measure and print."""
    start = time.perf_counter()
    fill(rows)
    filled = time.perf_counter() - start
    print(f"filled in {filled:.0f} s", file=sys.stderr, flush=True)
    version = ".".join(map(str, connection.get_database_version()))
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET max_parallel_workers_per_gather = 0")  # whose time would not be counted
    found = [asdict(measure(path)) for path in paths(rows)]
    print(
        json.dumps({"database": f"{connection.display_name} {version}", "rows": rows, "filled": filled, "paths": found})
    )


if __name__ == "__main__":
    main(int(sys.argv[1]))
