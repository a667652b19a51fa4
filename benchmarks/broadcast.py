"""Broadcasts: publishing to a million users, and when the last of a thousand connected ones has it.

``python -m benchmarks.broadcast`` prints figures for SQLite and PostgreSQL.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable, Iterator
from statistics import median
from typing import Any

from . import databases
from .load import Load, program
from .servers import CARILLON, LANE, Server, running

SERVER = Server("broadcast", "Carillon's lane, uvicorn", "uvicorn", LANE, CARILLON, "broadcast")
SENDS, GAP = 5, 3.0  # broadcasts to those who are connected, and seconds between them


def main() -> None:
    """Measure on both databases, and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.broadcast", description=__doc__)
    parser.add_argument("--users", type=int, default=1_000_000)
    parser.add_argument("--connections", type=int, default=1_000)
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        print(json.dumps(_publishing(options.users, options.connections)))
        return
    program()
    for name, opened in databases.each():
        with opened as environment:
            arguments = ["--child", f"--users={options.users}", f"--connections={options.connections}"]
            found = json.loads(databases.run("benchmarks.broadcast", arguments, environment))
            found |= _connected(found.pop("rows"), environment)
        print(f"{name}, {options.users:,} users, {options.connections:,} of them connected")
        for label, text in _lines(found):
            print(f"  {label:<58} {text}")


def _lines(found: dict[str, Any]) -> Iterator[tuple[str, str]]:
    yield "publish to everyone", f"{found['publish_ms']:.0f} ms, {found['publish_queries']} queries"
    yield "count everyone (an estimate)", f"{found['size_ms']:.0f} ms, {found['size_queries']} queries"
    yield "a late visitor collects 50 broadcasts", f"{found['late_ms']:.0f} ms, {found['late_queries']} queries"
    yield "a visitor with nothing to collect", f"{found['idle_ms']:.2f} ms, {found['idle_queries']} query"
    yield (
        "the last of those connected has it, from before publishing",
        f"{found['last_ms']:.0f} ms, {found['lost']} lost",
    )


def _connected(rows: list[dict[str, Any]], environment: databases.Environment) -> dict[str, Any]:
    """Broadcast to open streams, in the server's own process as the admin does."""
    with running(SERVER, environment) as now, Load([now.client(row) for row in rows]) as load:
        time.sleep(3.0)  # the streams have collected what came before
        load.expect(SENDS)
        now.publish("one", SENDS, GAP)  # it loads no more than a user; the audience decides
        report = load.delivered()
    return {
        "last_ms": median(event["last_ms"] for event in report["events"]),
        "lost": report["expected"] - report["delivered"],
    }


def _publishing(users: int, connections: int) -> dict[str, Any]:
    """Make the users, and measure what needs no server."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "benchmarks.site.settings")
    import django

    django.setup()
    from django.contrib.auth import get_user_model
    from django.contrib.sessions.models import Session

    from notifications.audiences import Audience
    from notifications.inbox import outbox
    from notifications.inbox.stream import INBOX
    from notifications.live.sequencer import chunks, open_streams
    from notifications.models import Broadcast
    from notifications.services import publish_broadcast

    from .site import prepare

    prepare.make_users(connections)
    sessions = prepare.make_sessions()
    model = get_user_model()
    for chunk in chunks(range(users - connections), 10_000):
        model.objects.bulk_create([model(username=f"many{n}", password="!") for n in chunk])
    late = model.objects.order_by("-pk")[0]
    audience = Audience.of("everyone")
    found: dict[str, Any] = {}

    def publish(to: Audience = audience) -> None:
        publish_broadcast(Broadcast(title="A deploy has finished", body="x" * 100, audience=to.dump()))

    open_streams(INBOX, [late.pk])
    publish()
    found["publish_ms"], found["publish_queries"] = _measured(publish, 5)
    found["size_ms"], found["size_queries"] = _measured(audience.size, 3)
    for _ in range(43):
        publish(Audience.of(users=[late]))
    found["late_ms"], found["late_queries"] = _measured(lambda: outbox.collect(INBOX, [late.pk]), 1)
    found["idle_ms"], found["idle_queries"] = _measured(lambda: outbox.collect(INBOX, [late.pk]), 50)
    pks = sorted(sessions)
    cursors = {}
    for part in chunks(pks):
        outbox.collect(INBOX, part)
        cursors |= {pk: INBOX.cursor(pk, at) for pk, (at, _floor) in open_streams(INBOX, part).items()}
    assert Session.objects.count() == connections
    found["rows"] = [{"pk": pk, "cookie": f"sessionid={sessions[pk]}", "cursor": cursors[pk]} for pk in pks]
    return found


def _measured(work: Callable[[], object], times: int) -> tuple[float, int]:
    """Return the median time in ms, and the number of queries."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    took = []
    for _ in range(times):
        began = time.perf_counter()
        work() if times > 1 else None
        took.append((time.perf_counter() - began) * 1e3)
    with CaptureQueriesContext(connection) as captured:
        began = time.perf_counter()
        work()
        last = (time.perf_counter() - began) * 1e3
    transactions = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE")
    queries = [query for query in captured if not query["sql"].startswith(transactions)]
    return (median(took) if times > 1 else last), len(queries)


if __name__ == "__main__":
    main()
