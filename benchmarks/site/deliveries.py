"""Deliveries: statements and CPU time of ``notify()``, without channels and with three of them.

Runs in a process of its own: ``python -m benchmarks.site.deliveries RECIPIENTS ROUNDS`` prints JSON.
"""

from __future__ import annotations

import json
import os
import sys
import time
from statistics import median
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "benchmarks.site.settings")
django.setup()

from django.contrib.auth import get_user_model  # noqa: E402
from django.db import connection  # noqa: E402
from django.test.utils import CaptureQueriesContext, override_settings  # noqa: E402

from notifications.services import notify  # noqa: E402

from .prepare import make_users  # noqa: E402

CHANNELS = {
    name: {"BACKEND": "benchmarks.site.deliveries_channel.Silent", "DEFAULT": "on"} for name in ("email", "push", "sms")
}
MANY_ROUNDS = 3


def statements(to: Any) -> int:
    """Return how many statements a notification takes."""
    with CaptureQueriesContext(connection) as queries:
        notify(to, "A deploy has finished")
    return len(queries)


def cpu(to: Any, rounds: int) -> float:
    """Return the median CPU time of a notification, in milliseconds."""
    times = []
    for _round in range(rounds):
        start = time.process_time()
        notify(to, "A deploy has finished")
        times.append(1_000 * (time.process_time() - start))
    return round(median(times), 2)


def measure(recipients: int, rounds: int) -> dict[str, Any]:
    """Measure on the database of the settings."""
    make_users(recipients)
    people = get_user_model()._default_manager.order_by("pk")
    one = people[0]
    notify(people.all(), "The inboxes are made")
    report: dict[str, Any] = {"database": connection.display_name, "recipients": recipients}
    for name, channels in (("without", {}), ("with three channels", CHANNELS)):
        with override_settings(NOTIFICATIONS_CHANNELS=channels):
            statements(one)
            report[name] = {
                "statements, one": statements(one),
                "ms, one": cpu(one, rounds),
                "statements, many": statements(people.all()),
                "ms, many": cpu(people.all(), MANY_ROUNDS),
            }
    return report


if __name__ == "__main__":
    print(json.dumps(measure(int(sys.argv[1]), int(sys.argv[2]))))
