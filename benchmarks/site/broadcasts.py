"""Broadcasts, without a server: publishing to everyone, counting them, and what late visitors cost.

Runs in a process of its own: ``python -m benchmarks.site.broadcasts USERS CONNECTIONS`` prints JSON, with the users
who are to connect in ``rows``.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "benchmarks.site.settings")
django.setup()

from django.contrib.auth import get_user_model  # noqa: E402
from django.contrib.sessions.models import Session  # noqa: E402
from django.db import connection  # noqa: E402
from django.test.utils import CaptureQueriesContext  # noqa: E402

from notifications.audiences import Audience  # noqa: E402
from notifications.inbox import outbox  # noqa: E402
from notifications.inbox.stream import INBOX  # noqa: E402
from notifications.live.chunks import chunks  # noqa: E402
from notifications.live.sequencer import open_streams  # noqa: E402
from notifications.models import Broadcast  # noqa: E402
from notifications.services import publish_broadcast  # noqa: E402

from . import prepare  # noqa: E402


def measure(users: int, connections: int) -> dict[str, Any]:
    """Make the users, and measure what needs no server."""
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
    print(json.dumps(measure(int(sys.argv[1]), int(sys.argv[2]))))
