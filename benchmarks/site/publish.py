"""Publishing in the server's process, as a view or a task in it would, each library through its own front door."""

from __future__ import annotations

import threading
import time
from typing import Any

from django.contrib.auth import get_user_model
from django.db import connections
from django.http import HttpRequest, HttpResponse

from notifications.audiences import Audience
from notifications.models import Broadcast
from notifications.services import notify, publish_broadcast, publish_many

from ..servers import wire
from . import feeds, queue  # noqa: F401  # declares what `by_publish` publishes in

BODY = "x" * 100  # with its other fields, a notification's frame is then as long as wire.event()


def by_notify(users: list[Any]) -> None:
    """Carillon: stored, ordered, then shown."""
    notify(users, f"bench-t={time.monotonic_ns()}", body=BODY)


def by_queue(users: list[Any]) -> None:
    """Plain queues: nothing is stored."""
    queue.send([user.pk for user in users], wire.event())


def by_eventstream(users: list[Any]) -> None:
    """django-eventstream without its storage: nothing is stored, nothing can be replayed."""
    from django_eventstream import send_event  # type: ignore[import-untyped, unused-ignore]

    data = {"title": f"bench-t={time.monotonic_ns()}", "body": "x" * 420}
    for user in users:
        send_event(f"user-{user.pk}", "message", data)


def by_broadcast(users: list[Any]) -> None:
    """Carillon, to everyone whoever is listed: one row, of which each open stream collects its copy."""
    audience = Audience.of("everyone").dump()
    publish_broadcast(Broadcast(title=f"bench-t={time.monotonic_ns()}", body=BODY, audience=audience))


def by_publish(users: list[Any]) -> None:
    """Carillon, in a feed of each user: stored, ordered, then shown."""
    data = {"title": f"bench-t={time.monotonic_ns()}", "body": "x" * 190}
    publish_many([(f"bench:{user.pk}", data) for user in users])


PUBLISHERS = {
    "publish": by_publish,
    "notify": by_notify,
    "queue": by_queue,
    "eventstream": by_eventstream,
    "broadcast": by_broadcast,
}


def view(request: HttpRequest, publisher: str) -> HttpResponse:
    """Start publishing in a thread, so that this request is no part of what is measured."""
    values = request.GET
    arguments = (PUBLISHERS[publisher], values["to"], int(values["events"]), float(values["gap"]))
    threading.Thread(target=publish, args=arguments, daemon=True).start()
    return HttpResponse(status=204)


def publish(send: Any, to: str, events: int, gap: float) -> None:
    """Send `events` events, one each `gap` seconds."""
    users = list(get_user_model().objects.order_by("pk")[: 1 if to == "one" else None])
    due = time.monotonic()
    for _ in range(events):
        time.sleep(max(0.0, due - time.monotonic()))
        send(users)
        due += gap
    connections.close_all()
