"""The admin's history of a broadcast: who did what, where the project has an admin."""

from __future__ import annotations

from django.apps import apps

from ..annotations import User, UserKey
from ..models import Broadcast


def remember(broadcast: Broadcast, by: User | UserKey | None, message: str | list[object]) -> None:
    """Write what happened to a broadcast into the admin's history, in the caller's transaction.

    Args:
        broadcast: The broadcast, saved.
        by: The user, or the user's primary key, in whose name it happened; without one nothing is written.
        message: What happened: a text, or fields that changed in the form that the admin translates when it is read.
    """
    if by is None or not apps.is_installed("django.contrib.admin"):
        return
    from django.contrib.admin.models import CHANGE, LogEntry  # only an installed app has models

    key = by.pk if isinstance(by, User) else by
    LogEntry.objects.log_actions(key, [broadcast], CHANGE, message, single_object=True)
