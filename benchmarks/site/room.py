"""Put all users of the site under test into one room: ``python -m benchmarks.site.room`` prints its key."""

from __future__ import annotations

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "benchmarks.site.settings")
django.setup()

from django.contrib.auth import get_user_model  # noqa: E402

from notifications.services import create_room  # noqa: E402

if __name__ == "__main__":
    users = get_user_model().objects.order_by("pk")
    print(create_room("Bench", by=users[0], members=users).pk)
