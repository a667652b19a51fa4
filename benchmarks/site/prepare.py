"""Make the database of the site under test: users, each with a session and an inbox.

``python -m benchmarks.site.prepare COUNT`` prints a JSON list with a user's key, cookies and cursor in each row.
"""

from __future__ import annotations

import json
import os
import secrets
import sys
from datetime import timedelta

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "benchmarks.site.settings")
django.setup()

from django.conf import settings  # noqa: E402
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user_model  # noqa: E402
from django.contrib.sessions.backends.db import SessionStore  # noqa: E402
from django.contrib.sessions.models import Session  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.utils import timezone  # noqa: E402

from notifications.inbox.stream import INBOX  # noqa: E402
from notifications.live.chunks import chunks  # noqa: E402
from notifications.live.sequencer import open_streams  # noqa: E402


def make_users(count: int) -> list[int]:
    """Migrate, and make users; return their keys."""
    call_command("migrate", verbosity=0)
    users = get_user_model().objects
    users.bulk_create([users.model(username=f"user{n}", password=f"unusable {n}") for n in range(count)])
    return list(users.order_by("pk").values_list("pk", flat=True))


def make_sessions() -> dict[int, str]:
    """Sign every user in, and return the session keys by user."""
    expires = timezone.now() + timedelta(days=1)
    sessions = {}
    for user in get_user_model().objects.all():
        store = SessionStore()
        content = {
            SESSION_KEY: str(user.pk),
            BACKEND_SESSION_KEY: settings.AUTHENTICATION_BACKENDS[0],
            HASH_SESSION_KEY: user.get_session_auth_hash(),
        }
        sessions[user.pk] = Session(
            session_key=secrets.token_hex(16), session_data=store.encode(content), expire_date=expires
        )
    Session.objects.bulk_create(sessions.values())
    return {pk: session.session_key for pk, session in sessions.items()}


def main(count: int) -> None:
    """Prepare and print."""
    pks = make_users(count)
    sessions = make_sessions()
    cursors = {}
    for chunk in chunks(pks):
        for pk, (position, _floor) in open_streams(INBOX, chunk).items():
            cursors[pk] = INBOX.cursor(pk, position)
    rows = [{"pk": pk, "cookie": f"{settings.SESSION_COOKIE_NAME}={sessions[pk]}", "cursor": cursors[pk]} for pk in pks]
    print(json.dumps(rows))


if __name__ == "__main__":
    main(int(sys.argv[1]))
