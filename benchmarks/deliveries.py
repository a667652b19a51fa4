"""What deliveries cost: statements and CPU time of ``notify``, without channels and with three of them.

``python -m benchmarks.deliveries`` measures on SQLite and PostgreSQL and prints a table.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from statistics import median
from typing import Any

CHANNELS = {
    name: {"BACKEND": "benchmarks.deliveries_channel.Silent", "DEFAULT": "on"} for name in ("email", "push", "sms")
}
ONE_ROUNDS = 300
MANY, MANY_ROUNDS = 10_000, 3


def measure() -> dict[str, Any]:
    """Measure on the database of the settings."""
    from django.contrib.auth import get_user_model
    from django.db import connection
    from django.test.utils import CaptureQueriesContext, override_settings

    from notifications.services import notify

    from .site.prepare import make_users

    make_users(MANY)
    people = get_user_model()._default_manager.order_by("pk")
    one = people[0]

    def statements(to: Any) -> int:
        with CaptureQueriesContext(connection) as queries:
            notify(to, "A deploy has finished")
        return len(queries)

    def cpu(to: Any, rounds: int) -> float:
        times = []
        for _round in range(rounds):
            start = time.process_time()
            notify(to, "A deploy has finished")
            times.append(1_000 * (time.process_time() - start))
        return round(median(times), 2)

    def with_channels(channels: Any) -> AbstractContextManager[Any]:
        return override_settings(NOTIFICATIONS_CHANNELS=channels)

    notify(people.all(), "The inboxes are made")
    report: dict[str, Any] = {"database": connection.display_name}
    for name, channels in (("without", {}), ("with three channels", CHANNELS)):
        with with_channels(channels):
            statements(one)
            report[name] = {
                "statements, one": statements(one),
                "ms, one": cpu(one, ONE_ROUNDS),
                "statements, 10,000": statements(people.all()),
                "ms, 10,000": cpu(people.all(), MANY_ROUNDS),
            }
    return report


def main(run: Callable[..., str]) -> None:
    """Measure on each database, in a process of its own."""
    from .databases import each

    for _name, opened in each():
        with opened as environment:
            print(run("benchmarks.deliveries", ["here"], environment))


if __name__ == "__main__":
    if sys.argv[1:] == ["here"]:
        import os

        import django

        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "benchmarks.site.settings")
        django.setup()
        print(json.dumps(measure(), indent=1))
    else:
        from .databases import run

        main(run)
