"""Users and notifications for tests, whatever user model the settings name."""

from __future__ import annotations

import json
from typing import Any

from django.contrib.auth import SESSION_KEY, get_user_model
from django.contrib.sessions.backends.db import SessionStore

from notifications.inbox.stream import INBOX
from notifications.kinds import Kind
from notifications.live.cursor import Position
from notifications.live.replay import changes_since
from notifications.live.sequencer import sequence
from notifications.models import Inbox, Notice, Notification
from notifications.services import notify


def make_user(name: str = "alice", **fields: Any) -> Any:
    """Store a user."""
    user_model = get_user_model()
    return user_model._default_manager.create(**{user_model.USERNAME_FIELD: name}, **fields)


def make_users(number: int, prefix: str = "user") -> list[Any]:
    """Store many users with one statement."""
    user_model = get_user_model()
    users = [user_model(**{user_model.USERNAME_FIELD: f"{prefix}{n}"}) for n in range(number)]
    return list(user_model._default_manager.bulk_create(users))


def make_session(user: Any) -> Any:
    """Store a session by which `user` is signed in."""
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session.create()
    return session


def stamp(*users: Any) -> None:
    """Give what is pending its position, as happens after a commit."""
    sequence(INBOX, [user.pk for user in users])


def tell(user: Any, *what: str | Kind, **fields: Any) -> list[int]:
    """Send one notification per title or kind, each with a position of its own, and return the copies' keys."""
    told = []
    for one in what:
        notice = notify(user, one, **fields)
        stamp(user)
        told.append(Notification.objects.of(user).get(notice=notice).pk)
    return told


def written() -> tuple[int, int]:
    """Count the stored notices and copies."""
    return Notice.objects.count(), Notification.objects.count()


def reason(user: Any, modseq: int) -> str:
    """Return why a reader at a position gets a snapshot; empty if it is continued."""
    position = Position(Inbox.objects.get(user=user).epoch, modseq)
    [batch] = changes_since(INBOX, {user.pk: position}).values()
    first = json.loads(batch.frames[0].data) if batch.frames else {}
    return str(first.get("reason", ""))
