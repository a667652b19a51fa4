"""Enqueueing: workers of Django's tasks are told what is to be sent, if ``NOTIFICATIONS_DELIVERY_TASKS`` says so."""

from __future__ import annotations

from datetime import datetime

from ..conf import conf
from . import waking


def enqueue(due: datetime) -> None:
    """Enqueue a task for what falls due at a time.

    Raises:
        Exception: What the backend raises; what is due is sent all the same, by whoever looks for it next.
    """
    if conf.DELIVERY_TASKS:
        from . import tasks  # not before Django 6.0

        tasks.enqueue(due)


waking.register(enqueue)
