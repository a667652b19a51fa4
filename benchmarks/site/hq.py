"""Storing with the fork of django-notifications-hq, whose package is named ``notifications`` too.

Runs in a process of its own: ``python -m benchmarks.site.hq ROUNDS`` stores for all users of a database that
``benchmarks.site.storing`` has left, and prints JSON.
"""

from __future__ import annotations

import json
import sys
from importlib import import_module

import django
from django.conf import settings as used

from ..servers import HQ
from . import settings

sys.path.insert(0, str(HQ))
used.configure(
    SECRET_KEY=settings.SECRET_KEY,
    DATABASES=settings.DATABASES,
    DEFAULT_AUTO_FIELD=settings.DEFAULT_AUTO_FIELD,
    USE_TZ=True,
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "notifications"],
)
django.setup()

from django.contrib.auth import get_user_model  # noqa: E402
from django.core.management import call_command  # noqa: E402

from .timing import single, way  # noqa: E402

NAME = "django-notifications-community"

notify = import_module("notifications.signals").notify  # its own, which no type checker of ours should look for


def main(rounds: int) -> None:
    """Measure and print."""
    call_command("migrate", verbosity=0)
    users = get_user_model().objects.order_by("pk")
    one = users[0]

    def to_all() -> None:
        notify.send(one, recipient=users.all(), verb="finished a deploy", description="x" * 100)

    def to_one() -> None:
        notify.send(one, recipient=one, verb="finished a deploy", description="x" * 100)

    report = {"way": way(f"{NAME}, stored", to_all, users.count(), rounds), "single": single(NAME, to_one)}
    print(json.dumps(report))


if __name__ == "__main__":
    main(int(sys.argv[1]))
