"""Write from many threads at once, and print as JSON how often that failed and what is left without a position."""

from __future__ import annotations

import json
import sys
import uuid
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import django

THREADS = 6
ROUNDS = 4


def main() -> None:
    """Let every thread write to the same room and the same inbox."""
    from django.contrib.auth import get_user_model
    from django.db import connections

    from notifications import services
    from notifications.models import Message, Notification

    name = uuid.uuid4().hex
    user = get_user_model()._default_manager.create(username=name)
    room = services.create_room("Room", by=user)
    failed: Counter[str] = Counter()

    def attempt(verb: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
        try:
            verb(*args, **kwargs)
        except Exception as error:  # noqa: BLE001  # it is counted
            failed[f"{verb.__name__}: {error!r}"] += 1

    def write(number: int) -> None:
        for turn in range(ROUNDS):
            attempt(services.post_message, room, f"{number}.{turn}", by=user)
            attempt(services.notify, user, f"{number}.{turn}", dedupe_key=f"{name}.{turn}")
            attempt(services.toggle_reaction, room, 1, "👍", by=user)
            attempt(services.mark_room_read, room, by=user)
            attempt(services.mark_all_read, user)
        connections.close_all()

    services.post_message(room, "first", by=user)
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(write, range(THREADS)))
    messages, copies = Message.objects.filter(room=room), Notification.objects.of(user)
    told = {
        "failed": failed,
        "messages": messages.filter(number__isnull=False).count(),
        "notifications": copies.count(),
        "unread": copies.unread().count(),
        "waiting": messages.filter(modseq=None).count() + copies.filter(modseq=None).count(),
    }
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    django.setup()
    main()
