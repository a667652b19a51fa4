"""Storing: how many recipients' rows per second ``notify`` stores and sequences, compared with a bulk insert.

Runs in a process of its own: ``python -m benchmarks.site.storing RECIPIENTS ROUNDS`` prints JSON.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "benchmarks.site.settings")
django.setup()

from django.apps import apps  # noqa: E402
from django.contrib.auth import get_user_model  # noqa: E402
from django.db import connection, transaction  # noqa: E402

from notifications.models import Notice, Notification  # noqa: E402
from notifications.services import notify  # noqa: E402

from .prepare import make_users  # noqa: E402
from .timing import single, way  # noqa: E402

FEW = 200  # users of what stores one by one


def by_notify() -> None:
    """Store, sequence and announce, as an application does."""
    notify(get_user_model().objects.all(), "A deploy has finished", body="x" * 100)


def by_insert() -> None:
    """Insert the rows and nothing else: no order, no resume; what a notification library at least does."""
    with transaction.atomic():
        notice = Notice.objects.create(title="A deploy has finished", body="x" * 100)
        pks = get_user_model().objects.values_list("pk", flat=True)
        Notification.objects.bulk_create([Notification(recipient_id=pk, notice=notice) for pk in pks], batch_size=1000)


def by_generic() -> None:
    """django-generic-notifications, which stores one by one; for its site's own list alone, and fewer users."""
    from .generic import send

    send(list(get_user_model().objects.order_by("pk")[:FEW]))


def ways(recipients: int, rounds: int) -> Iterator[dict[str, Any]]:
    """Measure each way of storing; the last is what the others are held against."""
    yield way("notify(), stored and ordered", by_notify, recipients, rounds)
    if apps.is_installed("generic_notifications"):
        yield way(f"django-generic-notifications, {FEW} users", by_generic, min(FEW, recipients), rounds)
    yield way("a bulk insert alone", by_insert, recipients, rounds)


def singles() -> Iterator[dict[str, Any]]:
    """Measure a notification to one user."""
    user = get_user_model().objects.order_by("pk")[0]
    yield single("notify()", lambda: notify(user, "A deploy has finished", body="x" * 100))
    if apps.is_installed("generic_notifications"):
        from .generic import send

        yield single("django-generic-notifications", lambda: send([user]))


def main(recipients: int, rounds: int) -> None:
    """Measure and print."""
    make_users(recipients)
    version = ".".join(map(str, connection.get_database_version()))
    report = {
        "database": f"{connection.display_name} {version}",
        "recipients": recipients,
        "ways": list(ways(recipients, rounds)),
        "singles": list(singles()),
    }
    print(json.dumps(report))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
